public import Compute

extension CUDABackend {
  /// One kernel of ours on Hopper, where heads are 64 or 128 wide: the turn happens to sums in registers.
  ///
  /// The pass over the output that this saves grows with the width, the product with its square, and the library's
  /// product is the faster one by some percent: wider models take the library and the pass.
  public func run(_ operation: RotaryProduct) throws(ComputeError) {
    operation.checkShapes()
    let (product, turn) = (operation.product, operation.turn)
    guard product.depth <= CUDABackend.widestRotaryProduct, [64, 128].contains(turn.headWidth),
      turn.table.elementType == .float32, turn.table.stride % 2 == 0, turn.table.address % 8 == 0,
      !turn.inverse, turn.firstPosition + turn.sequenceLength < 1 << 31,
      suitsDenseKernels(product)
    else {
      try run(product)
      return try run(turn)
    }
    let output = product.output
    guard output.count > 0 else { return }
    let tiles = DenseTiles(
      rows: output.rows, columns: output.columns, multiprocessors: device.multiprocessors)
    var arguments = KernelArguments()
    arguments.add(words: try device.tensorMap(product.left, boxRows: DenseTiles.rows))
    arguments.add(
      words: try device.tensorMap(product.right, boxRows: DenseTiles.columns / tiles.cluster))
    arguments.add(words: try device.tensorMap(output, boxRows: DenseTiles.storedRows))
    arguments.add(output.rows)
    arguments.add(output.columns)
    arguments.add(product.depth)
    arguments.add(tiles.group)
    arguments.addWithStride(turn.table)
    arguments.add(turn.sequenceLength)
    arguments.add(turn.firstPosition)
    arguments.add(turn.values.columns)
    try launch(
      "hopper/dense_product.cu", "dense_rotary_\(turn.headWidth)", .bfloat16,
      grid: Grid(x: tiles.grid), threads: HopperTiles.threads,
      sharedBytes: HopperTiles.sharedBytes, arguments, for: operation)
  }

  /// The largest depth of a product that turns on the way.
  static let widestRotaryProduct = 2048
}
