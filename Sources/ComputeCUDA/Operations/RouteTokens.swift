public import Compute

extension CUDABackend {
  /// Keys by one kernel where the tensor cores' rows allow it, else by a product and eight threads per
  /// token; then the row of clusters, and a stable sort.
  public func run(_ operation: RouteTokens) throws(ComputeError) {
    operation.checkShapes()
    let tokens = operation.scores.rows
    let clusters = operation.scores.columns
    guard tokens > 0 else { return }
    let limit = clusters * (operation.places == nil ? clusters : operation.levels)
    let tiles = CountingSortTiles(
      count: tokens, limit: limit, sharedBytes: device.sharedBytesPerBlock,
      multiprocessors: device.multiprocessors)
    let keyBytes = DeviceMemory.partBytes(tokens * 4)
    guard let tiles, clusters <= RouteTokens.longestRow else {
      precondition(operation.places == nil, "2^27 tokens at most")
      try run(operation.product)
      let base = try memory.scratch(bytes: keyBytes + sortScratchBytes(count: tokens))
      try findKeys(operation.scores, "route", keys: base, counts: nil)
      let sorted = try sort(
        base, count: tokens, limit: limit, scratch: base + UInt64(keyBytes),
        output: operation.order)
      try markBlocks(operation, "mark_sorted", keys: sorted.keys)
      return
    }
    let isFused = suitsHopper(operation)
    if !isFused { try run(operation.product) }
    let countBytes = DeviceMemory.partBytes(limit * 4)
    let base = try memory.scratch(bytes: keyBytes + 2 * countBytes)
    func numbers(_ offset: Int) -> TensorView {
      TensorView(
        address: base + UInt64(offset), rows: 1, columns: limit, elementType: .int32)
    }
    let counts = numbers(keyBytes)
    try zero(counts)
    if isFused {
      try findKeysOnHopper(operation, keys: base, counts: counts)
    } else {
      try findKeys(
        operation.scores, "route_16", keys: base, counts: counts, places: operation.places,
        levels: operation.levels)
    }
    var starts = counts
    if operation.places == nil {
      starts = numbers(keyBytes + countBytes)
      try orderClusters(clusters, tokens: tokens, counts: counts, starts: starts)
    } else {
      try scan(counts.address, count: limit)
    }
    try countingSort(
      base, count: tokens, limit: limit, tiles, starts: starts, output: operation.order)
    try markBlocks(operation, operation.places == nil ? "mark_16" : "mark_placed", keys: base)
  }

  /// Scores, the pairs of clusters that tokens have, and the row.
  public func run(_ operation: PlaceClusters) throws(ComputeError) {
    operation.checkShapes()
    let (tokens, clusters) = (operation.scores.rows, operation.scores.columns)
    try run(operation.product)
    let keyBytes = DeviceMemory.partBytes(tokens * 2)
    let pairBytes = DeviceMemory.partBytes(clusters * clusters * 4)
    let base = try memory.scratch(bytes: keyBytes + 2 * pairBytes)
    let counts = TensorView(
      address: base + UInt64(keyBytes), rows: 1, columns: clusters * clusters,
      elementType: .int32)
    try zero(counts)
    try findKeys(operation.scores, "route_16", keys: base, counts: counts)
    // Many clusters take the place of their starts for what pairs share.
    let starts = TensorView(
      address: counts.address + UInt64(pairBytes), rows: 1, columns: counts.count,
      elementType: .int32)
    try orderClusters(
      clusters, tokens: tokens, counts: counts, starts: starts, places: operation.places)
  }

  /// From the keys of tokens, sorted or not, to the clusters of every block.
  private func markBlocks(
    _ operation: RouteTokens, _ name: String, keys: UInt64
  ) throws(ComputeError) {
    guard let marks = operation.marks else { return }
    var arguments = KernelArguments()
    arguments.add(keys)
    arguments.add(operation.order)
    arguments.add(operation.input.rows)
    arguments.add(operation.centroids.rows)
    arguments.add(marks.blockTokens)
    arguments.add(marks.clusters.count)
    arguments.add(marks.clusters)
    if let places = operation.places {
      arguments.add(places)
      arguments.add(operation.levels)
    }
    try launch(
      "RouteTokens.cu", name, .float32, grid: .items(marks.clusters.count), arguments)
  }

  /// From the tokens of every key, [C, C], to where those of every key begin, or to the places of clusters.
  private func orderClusters(
    _ clusters: Int, tokens: Int, counts: TensorView, starts: TensorView,
    places: TensorView? = nil
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.add(counts)
    arguments.add(clusters)
    arguments.add(starts)
    arguments.add(optional: places)
    // What ClusterRow.cu says of the two.
    let areFew = clusters <= 64 && tokens < 1 << 20
    try launch(
      "ClusterRow.cu", areFew ? "order_few_clusters" : "order_clusters", .float32,
      grid: Grid(x: 1), threads: areFew ? 256 : 1024, arguments)
  }

  private func findKeys(
    _ scores: TensorView, _ name: String, keys: UInt64, counts: TensorView?,
    places: TensorView? = nil, levels: Int = 0
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.addWithStride(scores)
    arguments.add(scores.rows)
    arguments.add(scores.columns)
    if counts != nil {
      arguments.add(optional: places)
      arguments.add(levels)
    }
    arguments.add(keys)
    if let counts { arguments.add(counts) }
    try launch(
      "RouteTokens.cu", name, .float32, grid: .items(8 * scores.rows), arguments)
  }

  /// Whether `hopper/route_tokens.cu` can take the operation.
  private func suitsHopper(_ operation: RouteTokens) -> Bool {
    device.capability == 90 && operation.centroids.rows <= 192
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
    // The kernel of the fewest centroids that takes these.
    let most = (centroids.rows + 63) / 64 * 64
    arguments.add(words: try device.tensorMap(centroids, boxRows: most))
    arguments.add(input.rows)
    arguments.add(centroids.rows)
    arguments.add(input.columns)
    arguments.add(optional: operation.places)
    arguments.add(operation.levels)
    arguments.add(keys)
    arguments.add(counts)
    try launch(
      "hopper/route_tokens.cu", "route_tokens_\(most)", .bfloat16,
      grid: Grid(x: min((input.rows + 127) / 128, device.multiprocessors)), threads: 288,
      sharedBytes: 204_880, arguments,
      for: operation)
  }
}
