/// One allocation of a backend for one purpose, handed out front to back, freed as a whole.
///
/// Every slice starts on a 256-byte boundary, so that vector loads and device copies are aligned.
public final class Arena {
  /// What the memory is for; it appears in out-of-memory sentences and in `krait plan`.
  public let purpose: String
  /// The size of the allocation.
  public let byteCount: Int
  /// Bytes handed out so far.
  public private(set) var usedBytes = 0
  private let backend: any Backend
  private let baseAddress: UInt64

  /// Boundary of every slice, in bytes.
  public static let alignment = 256

  /// Allocates at once.
  ///
  /// - Throws: `ComputeError` when the memory is not there.
  public init(byteCount: Int, on backend: any Backend, purpose: String) throws(ComputeError) {
    self.purpose = purpose
    self.byteCount = Arena.roundUp(byteCount)
    self.backend = backend
    baseAddress = try backend.allocate(byteCount: self.byteCount, purpose: purpose)
  }

  deinit {
    backend.release(baseAddress, byteCount: byteCount)
  }

  /// The next free stretch as a view; its contents are undefined.
  public func take(
    rows: Int, columns: Int, _ elementType: ElementType = .float32
  ) -> TensorView {
    let bytes = Arena.bytes(rows: rows, columns: columns, elementType)
    precondition(
      usedBytes + bytes <= byteCount,
      "arena '\(purpose)': \(usedBytes) of \(byteCount) bytes used, \(bytes) more asked for")
    defer { usedBytes += bytes }
    return TensorView(
      address: baseAddress + UInt64(usedBytes), rows: rows, columns: columns,
      elementType: elementType)
  }

  /// What `take` would use, in bytes, padding included.
  public static func bytes(
    rows: Int, columns: Int, _ elementType: ElementType = .float32
  ) -> Int {
    roundUp(rows * columns * elementType.byteCount)
  }

  private static func roundUp(_ bytes: Int) -> Int {
    (bytes + alignment - 1) / alignment * alignment
  }
}
