public import Compute

extension CUDABackend {
  /// A block per position, eight entries per thread where lists and rows allow.
  public func run(_ operation: PackColumns) throws(ComputeError) {
    operation.checkShapes()
    var arguments = KernelArguments()
    arguments.addWithStride(operation.values)
    arguments.addWithStride(operation.packed)
    arguments.add(words: operation.pattern.words(tokens: operation.values.rows))
    let takesEight =
      operation.packed.elementType == .bfloat16 && operation.packed.hasWholeChunks(16)
      && operation.pattern.columns.hasWholeChunks(16)
    try launch(
      "PackColumns.cu", takesEight ? "pack_8" : "pack", operation.values.elementType,
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
