import Compute

/// A view's memory as host pointers: valid for views that the CPU backend allocated.
extension TensorView {
  /// The first byte.
  var raw: UnsafeMutableRawPointer {
    guard let pointer = UnsafeMutableRawPointer(bitPattern: UInt(address)) else {
      preconditionFailure("a view at address 0")
    }
    return pointer
  }

  /// Bytes from row to row.
  var rowBytes: Int { stride * elementType.byteCount }

  /// The first element as a Float.
  var float: UnsafeMutablePointer<Float> {
    precondition(elementType == .float32, "\(self) used as float32")
    return raw.assumingMemoryBound(to: Float.self)
  }

  /// The first element as an Int32.
  var int32: UnsafeMutablePointer<Int32> {
    precondition(elementType == .int32, "\(self) used as int32")
    return raw.assumingMemoryBound(to: Int32.self)
  }

  /// The first element as a UInt16.
  var uint16: UnsafeMutablePointer<UInt16> {
    precondition(elementType == .uint16, "\(self) used as uint16")
    return raw.assumingMemoryBound(to: UInt16.self)
  }
}
