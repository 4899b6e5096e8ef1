public import Compute

extension CUDABackend {
  /// A block per position.
  public func run(_ operation: PackColumns) throws(ComputeError) {
    operation.checkShapes()
    var arguments = KernelArguments()
    arguments.addWithStride(operation.values)
    arguments.addWithStride(operation.packed)
    arguments.add(words: operation.pattern.words(tokens: operation.values.rows))
    try launch(
      "PackColumns.cu", "pack", operation.values.elementType,
      grid: Grid(x: operation.values.rows), arguments)
  }

  /// A block per position clears its row, then writes kept entries back.
  public func run(_ operation: UnpackColumns) throws(ComputeError) {
    operation.checkShapes()
    var arguments = KernelArguments()
    arguments.addWithStride(operation.packed)
    arguments.addWithStride(operation.values)
    arguments.add(operation.values.columns)
    arguments.add(words: operation.pattern.words(tokens: operation.values.rows))
    try launch(
      "PackColumns.cu", "unpack", operation.values.elementType,
      grid: Grid(x: operation.values.rows), arguments)
  }
}
