public import Compute

extension CUDABackend {
  /// A thread per pair of dimensions.
  public func run(_ operation: RotaryEmbedding) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    var arguments = KernelArguments()
    arguments.addWithStride(values)
    arguments.addWithStride(operation.table)
    arguments.add(values.rows)
    arguments.add(values.columns / operation.headWidth)
    arguments.add(operation.headWidth)
    arguments.add(operation.sequenceLength)
    arguments.add(operation.firstPosition)
    arguments.add(operation.inverse ? Float(-1) : 1)
    try launch(
      "RotaryEmbedding.cu", "rotate", values.elementType, grid: .strided(values.count / 2),
      arguments, for: operation)
  }
}
