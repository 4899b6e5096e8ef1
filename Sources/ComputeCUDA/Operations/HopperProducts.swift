import Compute

/// The products of kept neurons through wgmma, where the GPU and the shapes allow it.
///
/// Compute capability 9.0, bfloat16, V a multiple of 128, K and d multiples of 64, views at
/// multiples of 16 bytes and smaller than 4 GiB; everything else takes the plain kernels.
extension CUDABackend {
  /// Runs product 1 or 3; false when the plain kernel has to.
  func runOnHopper(_ operation: KeptProduct) throws(ComputeError) -> Bool {
    var name: String
    let activation: TensorView?
    switch operation.epilogue {
    case .none: return false
    case .squaredReLU: (name, activation) = ("kept_squared_relu_", nil)
    case .timesTwoSqrt(let values): (name, activation) = ("kept_two_sqrt_", values)
    }
    let input = operation.input
    guard
      suitsHopper(
        [input, operation.weights, operation.output] + (activation.map { [$0] } ?? []),
        operation.pattern, width: input.columns)
    else { return false }
    let tiles = HopperTiles(
      tokens: input.rows, columns: operation.output.columns,
      gathersRows: operation.pattern.order != nil, multiprocessors: device.multiprocessors)
    name += (operation.pattern.order == nil ? "" : "ordered_") + "\(tiles.columns)_\(tiles.cluster)"
    var arguments = try gatherArguments(
      map: input, tiles: tiles, weights: operation.weights, operation.pattern,
      width: input.columns, tokens: input.rows)
    arguments.addWithStride(input)
    arguments.addWithStride(optional: activation)
    arguments.addWithStride(operation.output)
    arguments.add(tiles.group)
    try launch("hopper/kept_product.cu", name, tiles, arguments)
    return true
  }

  /// Runs product 2 or 5; false when the plain kernel has to.
  func runOnHopper(_ operation: PackedProduct) throws(ComputeError) -> Bool {
    let output = operation.output
    guard
      suitsHopper(
        [operation.packed, operation.weights, output, operation.addend ?? output],
        operation.pattern, width: output.columns)
    else { return false }
    let tiles = HopperTiles(
      tokens: output.rows, columns: output.columns, packedNeurons: operation.weights.rows,
      gathersRows: false,
      multiprocessors: device.multiprocessors)
    var arguments = try gatherArguments(
      map: operation.packed, tiles: tiles, weights: operation.weights, operation.pattern,
      width: output.columns, tokens: output.rows)
    arguments.addWithStride(optional: operation.addend)
    arguments.addWithStride(output)
    arguments.add(tiles.group)
    let name = (operation.addend == nil ? "packed_store_" : "packed_add_") + "\(tiles.cluster)"
    try launch("hopper/packed_product.cu", name, tiles, arguments)
    return true
  }

  /// Whether the kernels of the `hopper` folder can read and write these views.
  func suitsHopper(_ views: [TensorView], _ pattern: PackedPattern, width: Int) -> Bool {
    suitsHopper(pattern, width: width)
      && views.allSatisfy {
        $0.elementType == .bfloat16 && $0.address % 16 == 0 && $0.stride % 8 == 0 && $0.rows > 0
          && $0.byteCount < 1 << 32
      }
  }

  /// Whether they can take the sizes of a pattern, d being `width`.
  func suitsHopper(_ pattern: PackedPattern, width: Int) -> Bool {
    device.capability == 90 && pattern.blockTokens % 128 == 0 && pattern.keptColumns % 64 == 0
      && pattern.keptColumns > 0 && width % 64 == 0
  }

  /// The arguments that products 1, 2, 3 and 5 share, up to the order.
  private func gatherArguments(
    map view: TensorView, tiles: HopperTiles, weights: TensorView, _ pattern: PackedPattern,
    width: Int, tokens: Int
  ) throws(ComputeError) -> KernelArguments {
    var arguments = KernelArguments()
    arguments.add(words: try device.tensorMap(view, boxRows: 128 / tiles.cluster))
    arguments.addWithStride(weights)
    arguments.addWithStride(pattern.columns)
    arguments.add(pattern.keptColumns)
    arguments.add(width)
    arguments.add(tokens)
    arguments.add(pattern.blockTokens)
    arguments.add(optional: pattern.order)
    return arguments
  }

  private func launch(
    _ file: String, _ name: String, _ tiles: HopperTiles, _ arguments: KernelArguments
  ) throws(ComputeError) {
    try launch(
      file, name, .bfloat16, grid: Grid(x: tiles.grid), threads: HopperTiles.threads,
      sharedBytes: HopperTiles.sharedBytes, arguments)
  }
}
