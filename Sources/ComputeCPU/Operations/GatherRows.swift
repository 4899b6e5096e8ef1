public import Compute

extension CPUBackend {
  /// Copies rows bit for bit.
  public func run(_ operation: GatherRows) throws(ComputeError) {
    operation.checkShapes()
    let source = operation.source
    let output = operation.output
    let indices = operation.rows.int32
    rows.forEachRange(of: output.rows, rowsPerChunk: max(1, 8192 / max(1, output.columns))) {
      _, range in
      for row in range {
        let from = Int(indices[row])
        precondition(from >= 0 && from < source.rows, "row \(from) of \(source.rows)")
        (output.float + row * output.stride)
          .update(from: source.float + from * source.stride, count: output.columns)
      }
    }
  }
}
