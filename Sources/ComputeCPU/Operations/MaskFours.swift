public import Compute

extension CPUBackend {
  /// A value stays when fewer than `keep` of its four are larger, or equal and earlier.
  public func run(_ operation: MaskFours) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    rows.forEachRange(of: values.rows, rowsPerChunk: 32) { _, range in
      for row in range {
        let start = values.float + row * values.stride
        for group in stride(from: 0, to: values.columns, by: 4) {
          keepLargest(start + group, stride: 1, count: 4, keep: operation.keep) { index in
            start[group + index] = 0
          }
        }
      }
    }
  }

  /// Calls `drop` for every one of `count` values (at most 4) that is not among the `keep`
  /// largest; ties to the earlier one, NaN is the smallest.
  @inline(__always)
  func keepLargest(
    _ values: UnsafePointer<Float>, stride: Int, count: Int, keep: Int, drop: (Int) -> Void
  ) {
    var dropped: UInt8 = 0
    for index in 0..<count {
      let value = values[index * stride]
      var ahead = 0
      for other in 0..<count where other != index {
        let rival = values[other * stride]
        let wins =
          rival > value || (value.isNaN && !rival.isNaN)
          || (other < index && (rival == value || (rival.isNaN && value.isNaN)))
        if wins { ahead += 1 }
      }
      if ahead >= keep { dropped |= 1 << UInt8(index) }
    }
    for index in 0..<count where dropped & (1 << UInt8(index)) != 0 { drop(index) }
  }
}
