public import Compute

extension CUDABackend {
  /// A thread per column of a block, rows in order. Sums are float32.
  public func run(_ operation: BlockSums) throws(ComputeError) {
    operation.checkShapes()
    precondition(operation.sums.elementType == .float32, "block sums are float32")
    let values = operation.values
    var arguments = KernelArguments()
    arguments.addWithStride(values)
    arguments.add(optional: operation.order)
    arguments.add(values.rows)
    arguments.add(values.columns)
    arguments.add(operation.blockRows)
    arguments.addWithStride(operation.sums)
    try launch(
      "BlockSums.cu", "block_sums", values.elementType,
      grid: Grid(x: (values.columns + 255) / 256, y: operation.sums.rows), arguments)
  }
}
