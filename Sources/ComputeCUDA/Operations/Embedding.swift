public import Compute

extension CUDABackend {
  /// Copies one row per token; an id outside of the table gives NaN.
  public func run(_ operation: Embedding.Forward) throws(ComputeError) {
    operation.checkShapes()
    var arguments = KernelArguments()
    arguments.add(operation.tokens)
    arguments.addWithStride(operation.table)
    arguments.add(operation.table.rows)
    arguments.addWithStride(operation.output)
    arguments.add(operation.output.columns)
    let packed = isPacked(operation.table, operation.output)
    try launch(
      "Embedding.cu", packed ? "forward_packed" : "forward", operation.table.elementType,
      grid: Grid(x: operation.output.rows),
      threads: packed
        ? min(256, threads(row: operation.output.columns, operation.table.elementType) ?? 256)
        : 256, arguments, for: operation)
  }

  /// Sorts tokens by id, then adds the rows of each id in token order.
  public func run(_ operation: Embedding.Backward) throws(ComputeError) {
    operation.checkShapes()
    precondition(operation.tableGradient.elementType == .float32, "weight gradients are float32")
    let count = operation.tokens.count
    guard count > 0 else { return }
    // Sorting alternates between two key arrays; the tokens themselves must survive.
    let keyBytes = (count * 4 + 255) / 256 * 256
    let base = try memory.scratch(bytes: keyBytes + sortScratchBytes(count: count))
    let keys = TensorView(address: base, rows: 1, columns: count, elementType: .int32)
    try copy(from: operation.tokens, to: keys)
    let sorted = try sort(
      base, count: count, limit: operation.tableGradient.rows, scratch: base + UInt64(keyBytes),
      output: nil)
    var arguments = KernelArguments()
    arguments.add(sorted.keys)
    arguments.add(sorted.order)
    arguments.add(count)
    arguments.addWithStride(operation.outputGradient)
    arguments.addWithStride(operation.tableGradient)
    arguments.add(operation.tableGradient.rows)
    arguments.add(operation.tableGradient.columns)
    try launch(
      "Embedding.cu", "backward", operation.outputGradient.elementType,
      grid: Grid(x: count, y: (operation.tableGradient.columns + 255) / 256), arguments,
      for: operation)
  }
}
