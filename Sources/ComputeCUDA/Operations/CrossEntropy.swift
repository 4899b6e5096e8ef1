public import Compute

extension CUDABackend {
  /// A block per row; a target outside of the vocabulary gives a loss of NaN.
  public func run(_ operation: CrossEntropy) throws(ComputeError) {
    operation.checkShapes()
    var arguments = KernelArguments()
    arguments.addWithStride(operation.logits)
    arguments.add(operation.targets)
    arguments.add(operation.losses)
    arguments.add(operation.logits.columns)
    arguments.add(operation.gradientScale == nil ? 0 : 1)
    arguments.add(operation.gradientScale ?? 0)
    let packed = isPacked(operation.logits)
    try launch(
      "CrossEntropy.cu", packed ? "cross_entropy_packed" : "cross_entropy",
      operation.logits.elementType, grid: Grid(x: operation.logits.rows),
      threads: packed
        ? threads(row: operation.logits.columns, operation.logits.elementType) ?? 1024 : 512,
      arguments,
      for: operation)
  }
}
