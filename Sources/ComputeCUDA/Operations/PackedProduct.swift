public import Compute

extension CUDABackend {
  /// On Hopper through wgmma; large ones elsewhere densely; else a tile of 64 positions and 64
  /// columns for every thread block.
  public func run(_ operation: PackedProduct) throws(ComputeError) {
    operation.checkShapes()
    if try runOnHopper(operation) { return }
    if try runDensely(operation) { return }
    let output = operation.output
    var arguments = KernelArguments()
    arguments.addWithStride(operation.packed)
    arguments.addWithStride(operation.weights)
    arguments.addWithStride(output)
    arguments.addWithStride(optional: operation.addend)
    arguments.add(output.columns)
    arguments.add(words: operation.pattern.words(tokens: output.rows))
    try launch(
      "PackedProduct.cu", "packed_product", output.elementType,
      grid: Grid(
        x: (output.columns + 63) / 64, y: operation.pattern.tilesPerBlock,
        z: operation.pattern.columns.rows), arguments)
  }
}
