public import Compute

extension CUDABackend {
  /// Keys by one kernel where the tensor cores' rows allow it, else by a product and eight threads per
  /// token; then a stable sort.
  public func run(_ operation: RouteTokens) throws(ComputeError) {
    operation.checkShapes()
    let tokens = operation.scores.rows
    let clusters = operation.scores.columns
    guard tokens > 0 else { return }
    let limit = clusters * clusters
    let tiles = CountingSortTiles(
      count: tokens, limit: limit, sharedBytes: device.sharedBytesPerBlock,
      multiprocessors: device.multiprocessors)
    let keyBytes = (tokens * 4 + 255) / 256 * 256
    let isFused = tiles != nil && suitsHopper(operation)
    if !isFused { try run(operation.product) }
    let base = try memory.scratch(bytes: keyBytes + sortScratchBytes(count: tokens))
    if isFused {
      try findKeysOnHopper(operation, keys: base)
    } else {
      var arguments = KernelArguments()
      arguments.addWithStride(operation.scores)
      arguments.add(tokens)
      arguments.add(clusters)
      arguments.add(base)
      try launch(
        "RouteTokens.cu", tiles == nil ? "route" : "route_16", .float32,
        grid: .items(8 * tokens), arguments)
    }
    if let tiles {
      return try countingSort(base, count: tokens, tiles, output: operation.order)
    }
    _ = try sort(
      base, count: tokens, limit: limit, scratch: base + UInt64(keyBytes),
      output: operation.order)
  }

  /// Whether `hopper/route_tokens.cu` can take the operation.
  private func suitsHopper(_ operation: RouteTokens) -> Bool {
    device.capability == 90 && operation.centroids.rows <= 64
      && [operation.input, operation.centroids].allSatisfy {
        $0.elementType == .bfloat16 && $0.columns > 0 && $0.hasWholeChunks(16)
      }
  }

  private func findKeysOnHopper(_ operation: RouteTokens, keys: UInt64) throws(ComputeError) {
    let (input, centroids) = (operation.input, operation.centroids)
    var arguments = KernelArguments()
    arguments.add(words: try device.tensorMap(input, boxRows: 128))
    arguments.add(words: try device.tensorMap(centroids, boxRows: 64))
    arguments.add(input.rows)
    arguments.add(centroids.rows)
    arguments.add(input.columns)
    arguments.add(keys)
    try launch(
      "hopper/route_tokens.cu", "route_tokens", .bfloat16,
      grid: Grid(x: min((input.rows + 127) / 128, device.multiprocessors)), threads: 288,
      sharedBytes: 196_736, arguments,
      for: operation)
  }
}
