public import Compute
import CPUKernels

extension CPUBackend {
  /// Copies one row per token.
  public func run(_ operation: Embedding.Forward) throws(ComputeError) {
    operation.checkShapes()
    let tokens = operation.tokens.int32
    let table = operation.table
    let output = operation.output
    rows.forEachRange(of: output.rows, rowsPerChunk: 64) { _, range in
      for token in range {
        let row = Int(tokens[token])
        precondition(
          row >= 0 && row < table.rows, "token id \(row) in a vocabulary of \(table.rows)")
        (output.float + token * output.stride)
          .update(from: table.float + row * table.stride, count: table.columns)
      }
    }
  }

  /// Each lane owns a slice of columns and adds tokens in order: reproducible without atomics.
  public func run(_ operation: Embedding.Backward) throws(ComputeError) {
    operation.checkShapes()
    let tokens = operation.tokens.int32
    let gradient = operation.outputGradient
    let table = operation.tableGradient
    if operation.replaces { try zero(table) }
    rows.forEachRange(of: table.columns, rowsPerChunk: 128) { _, columns in
      for token in 0..<gradient.rows {
        let row = Int(tokens[token])
        precondition(
          row >= 0 && row < table.rows, "token id \(row) in a vocabulary of \(table.rows)")
        krait_add(
          table.float + row * table.stride + columns.lowerBound,
          gradient.float + token * gradient.stride + columns.lowerBound, columns.count)
      }
    }
  }
}
