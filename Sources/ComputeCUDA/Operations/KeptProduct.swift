public import Compute

extension CUDABackend {
  /// On Hopper through wgmma; large ones elsewhere densely; else a tile of 64 positions and 64 kept
  /// neurons for every thread block.
  public func run(_ operation: KeptProduct) throws(ComputeError) {
    operation.checkShapes()
    if try runOnHopper(operation) { return }
    if try runDensely(operation) { return }
    let (epilogue, activation) = kernelEpilogue(operation.epilogue)
    var arguments = KernelArguments()
    arguments.addWithStride(operation.input)
    arguments.addWithStride(operation.weights)
    arguments.addWithStride(operation.output)
    arguments.addWithStride(optional: activation)
    arguments.add(operation.input.columns)
    arguments.add(epilogue)
    arguments.add(words: operation.pattern.words(tokens: operation.input.rows))
    try launch(
      "KeptProduct.cu", "kept_product", operation.input.elementType,
      grid: Grid(
        x: (operation.output.columns + 63) / 64, y: operation.pattern.tilesPerBlock,
        z: operation.pattern.columns.rows), arguments)
  }
}
