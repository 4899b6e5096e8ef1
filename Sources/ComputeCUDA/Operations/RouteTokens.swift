public import Compute

extension CUDABackend {
  /// Keys by one kernel where the tensor cores' rows allow it, else by a product and eight threads per
  /// token; then the row of clusters, and a stable sort.
  public func run(_ operation: RouteTokens) throws(ComputeError) {
    operation.checkShapes()
    let tokens = operation.scores.rows
    let clusters = operation.scores.columns
    guard tokens > 0 else { return }
    let limit = clusters * clusters
    let tiles = CountingSortTiles(
      count: tokens, limit: limit, sharedBytes: device.sharedBytesPerBlock,
      multiprocessors: device.multiprocessors)
    let keyBytes = DeviceMemory.partBytes(tokens * 4)
    let isFused = tiles != nil && suitsHopper(operation)
    if !isFused { try run(operation.product) }
    guard let tiles, clusters <= RouteTokens.longestRow else {
      let base = try memory.scratch(bytes: keyBytes + sortScratchBytes(count: tokens))
      try findKeys(operation, "route", keys: base, counts: nil)
      _ = try sort(
        base, count: tokens, limit: limit, scratch: base + UInt64(keyBytes),
        output: operation.order)
      return
    }
    let pairBytes = DeviceMemory.partBytes(limit * 4)
    let base = try memory.scratch(bytes: keyBytes + 2 * pairBytes)
    func pairs(_ offset: Int) -> TensorView {
      TensorView(
        address: base + UInt64(offset), rows: clusters, columns: clusters, elementType: .int32)
    }
    let (counts, starts) = (pairs(keyBytes), pairs(keyBytes + pairBytes))
    try zero(counts)
    if isFused {
      try findKeysOnHopper(operation, keys: base, counts: counts)
    } else {
      try findKeys(operation, "route_16", keys: base, counts: counts)
    }
    try orderClusters(clusters, tokens: tokens, counts: counts, starts: starts)
    try countingSort(
      base, count: tokens, limit: limit, tiles, starts: starts, output: operation.order)
  }

  /// From the tokens of every key, [C, C], to where those of every key begin.
  private func orderClusters(
    _ clusters: Int, tokens: Int, counts: TensorView, starts: TensorView
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.add(counts)
    arguments.add(clusters)
    arguments.add(starts)
    // What ClusterRow.cu says of the two.
    let areFew = clusters <= 64 && tokens < 1 << 20
    try launch(
      "ClusterRow.cu", areFew ? "order_few_clusters" : "order_clusters", .float32,
      grid: Grid(x: 1), threads: areFew ? 256 : 1024, arguments)
  }

  private func findKeys(
    _ operation: RouteTokens, _ name: String, keys: UInt64, counts: TensorView?
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.addWithStride(operation.scores)
    arguments.add(operation.scores.rows)
    arguments.add(operation.scores.columns)
    arguments.add(keys)
    if let counts { arguments.add(counts) }
    try launch(
      "RouteTokens.cu", name, .float32, grid: .items(8 * operation.scores.rows), arguments)
  }

  /// Whether `hopper/route_tokens.cu` can take the operation.
  private func suitsHopper(_ operation: RouteTokens) -> Bool {
    device.capability == 90 && operation.centroids.rows <= 64
      && [operation.input, operation.centroids].allSatisfy {
        $0.elementType == .bfloat16 && $0.columns > 0 && $0.hasWholeChunks(16)
      }
  }

  private func findKeysOnHopper(
    _ operation: RouteTokens, keys: UInt64, counts: TensorView
  ) throws(ComputeError) {
    let (input, centroids) = (operation.input, operation.centroids)
    var arguments = KernelArguments()
    arguments.add(words: try device.tensorMap(input, boxRows: 128))
    arguments.add(words: try device.tensorMap(centroids, boxRows: 64))
    arguments.add(input.rows)
    arguments.add(centroids.rows)
    arguments.add(input.columns)
    arguments.add(keys)
    arguments.add(counts)
    try launch(
      "hopper/route_tokens.cu", "route_tokens", .bfloat16,
      grid: Grid(x: min((input.rows + 127) / 128, device.multiprocessors)), threads: 288,
      sharedBytes: 196_736, arguments,
      for: operation)
  }
}
