public import Compute

extension CUDABackend {
  /// A block per row; bits are copied as they are.
  public func run(_ operation: GatherRows) throws(ComputeError) {
    operation.checkShapes()
    var arguments = KernelArguments()
    arguments.addWithStride(operation.source)
    arguments.add(operation.rows)
    arguments.addWithStride(operation.output)
    arguments.add(operation.output.columns)
    let isNarrow = operation.source.elementType.byteCount == 2
    try launch(
      "GatherRows.cu", "gather", isNarrow ? .bfloat16 : .float32,
      grid: Grid(x: operation.output.rows), arguments)
  }
}
