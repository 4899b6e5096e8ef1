public import Compute

extension CPUBackend {
  /// Copies kept entries, row by row.
  public func run(_ operation: PackColumns) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    let packed = operation.packed
    let pattern = operation.pattern
    rows.forEachRange(of: values.rows, rowsPerChunk: 32) { _, range in
      for position in range {
        let columns =
          pattern.columns.uint16
          + position / pattern.blockTokens * pattern.columns.stride
        let row = pattern.order.map { Int($0.int32[position]) } ?? position
        let source = values.float + row * values.stride
        let target = packed.float + position * packed.stride
        for index in 0..<packed.columns { target[index] = source[Int(columns[index])] }
      }
    }
  }

  /// Clears rows, then writes kept entries back.
  public func run(_ operation: UnpackColumns) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    let packed = operation.packed
    let pattern = operation.pattern
    rows.forEachRange(of: values.rows, rowsPerChunk: 32) { _, range in
      for position in range {
        let columns =
          pattern.columns.uint16
          + position / pattern.blockTokens * pattern.columns.stride
        let row = pattern.order.map { Int($0.int32[position]) } ?? position
        let target = values.float + row * values.stride
        let source = packed.float + position * packed.stride
        target.update(repeating: 0, count: values.columns)
        for index in 0..<packed.columns { target[Int(columns[index])] = source[index] }
      }
    }
  }
}
