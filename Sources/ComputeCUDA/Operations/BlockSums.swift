public import Compute

extension CUDABackend {
  /// A thread per column of a block, or per eight where rows allow, rows in order. Sums are float32.
  public func run(_ operation: BlockSums) throws(ComputeError) {
    operation.checkShapes()
    precondition(operation.sums.elementType == .float32, "block sums are float32")
    let values = operation.values
    let name = operation.squares ? "block_squares" : "block_sums"
    var arguments = KernelArguments()
    arguments.addWithStride(values)
    arguments.add(values.rows)
    arguments.add(values.columns)
    arguments.add(operation.blockRows)
    arguments.addWithStride(operation.sums)
    if values.elementType == .bfloat16 && values.hasWholeChunks(16)
      && operation.sums.hasWholeChunks(32)
    {
      return try launch(
        "BlockSums.cu", name + "_8", .bfloat16,
        grid: Grid(x: (values.columns + 1023) / 1024, y: operation.sums.rows), threads: 128,
        arguments)
    }
    try launch(
      "BlockSums.cu", name, values.elementType,
      grid: Grid(x: (values.columns + 255) / 256, y: operation.sums.rows), arguments)
  }
}
