import Compute

/// Product 1 with 2:4 sparse weights through the sparse instructions of wgmma, epilogue included.
///
/// Under the conditions of the dense kernel, for a width that is a multiple of 8. The weights are
/// compressed anew for every product: they change with every step, and it costs about as much as
/// reading them once.
extension CUDABackend {
  /// Runs the product; false when it has to be computed as a dense one.
  func runTwoFourOnHopper(_ operation: MatrixMultiply) throws(ComputeError) -> Bool {
    let (weights, output) = (operation.right, operation.output)
    let tiles = TwoFourTiles(
      tokens: output.rows, neurons: output.columns, multiprocessors: device.multiprocessors)
    guard
      operation.isRightTwoOfFour, operation.epilogue == .squaredReLU, suitsDenseKernels(operation),
      operation.depth % 8 == 0, tiles.grid > 0, tiles.isWorthIt
    else { return false }
    let images = try memory.scratch(
      bytes: (output.columns + 127) / 128 * ((operation.depth + 63) / 64)
        * TwoFourTiles.imageBytes)
    try compressTwoFour(weights, to: images)
    var arguments = KernelArguments()
    arguments.add(images)
    arguments.add(words: try device.tensorMap(operation.left, boxRows: 128))
    arguments.add(words: try device.tensorMap(output, boxRows: 32))
    arguments.add(output.rows)
    arguments.add(output.columns)
    arguments.add(operation.depth)
    arguments.add(tiles.group)
    try launch(
      "hopper/two_four_product.cu", "two_four_squared_relu", .bfloat16, grid: Grid(x: tiles.grid),
      threads: HopperTiles.threads, sharedBytes: TwoFourTiles.sharedBytes, arguments)
    return true
  }

  /// Makes the images that the kernels of 2:4 weights read, for [f, d] weights.
  func compressTwoFour(_ weights: TensorView, to images: UInt64) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.addWithStride(weights)
    arguments.add(weights.rows)
    arguments.add(weights.columns)
    arguments.add(images)
    try launch(
      "hopper/two_four_product.cu", "two_four_compress", .bfloat16,
      grid: Grid(x: (weights.columns + 63) / 64, y: (weights.rows + 127) / 128), arguments)
  }
}
