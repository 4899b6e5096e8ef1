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
    let pack = packSize(values.elementType)
    let packed =
      isPacked(values, operation.table) && operation.headWidth / 2 % pack == 0
      && operation.headWidth % 2 == 0 && values.count < 1 << 31
    try launch(
      "RotaryEmbedding.cu", packed ? "rotate_packed" : "rotate", values.elementType,
      grid: packed
        ? .strided(values.count / (2 * pack), blocks: 1 << 20) : .strided(values.count / 2),
      arguments, for: operation)
  }
}
