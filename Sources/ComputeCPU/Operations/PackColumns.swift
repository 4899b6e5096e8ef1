public import Compute

extension CPUBackend {
  /// Copies kept entries, row by row.
  public func run(_ operation: PackColumns) throws(ComputeError) {
    operation.checkShapes()
    let kept = operation.packed.columns
    forEachRow(operation.values, operation.packed, operation.pattern) { row, packed, columns in
      for index in 0..<kept { packed[index] = row[Int(columns[index])] }
    }
  }

  /// Clears rows, then writes kept entries back.
  public func run(_ operation: UnpackColumns) throws(ComputeError) {
    operation.checkShapes()
    let (kept, all) = (operation.packed.columns, operation.values.columns)
    forEachRow(operation.values, operation.packed, operation.pattern) { row, packed, columns in
      row.update(repeating: 0, count: all)
      for index in 0..<kept { row[Int(columns[index])] = packed[index] }
    }
  }

  /// Calls `body(row of values, row of packed, the block's neurons)` for every position.
  private func forEachRow(
    _ values: TensorView, _ packed: TensorView, _ pattern: PackedPattern,
    _ body: (
      UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<UInt16>
    ) -> Void
  ) {
    rows.forEachRange(of: values.rows, rowsPerChunk: 32) { _, range in
      for position in range {
        let row = pattern.order.map { Int($0.int32[position]) } ?? position
        body(
          values.float + row * values.stride, packed.float + position * packed.stride,
          pattern.columns.uint16 + position / pattern.blockTokens * pattern.columns.stride)
      }
    }
  }
}
