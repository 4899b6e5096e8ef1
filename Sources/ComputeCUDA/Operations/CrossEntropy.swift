public import Compute

extension CUDABackend {
  /// A block per row, on Hopper a cluster of blocks that reads it only once; a target outside of the
  /// vocabulary gives a loss of NaN.
  public func run(_ operation: CrossEntropy) throws(ComputeError) {
    operation.checkShapes()
    var arguments = KernelArguments()
    arguments.addWithStride(operation.logits)
    arguments.add(operation.targets)
    arguments.add(operation.losses)
    arguments.add(operation.logits.columns)
    arguments.add(operation.gradientScale == nil ? 0 : 1)
    arguments.add(operation.gradientScale ?? 0)
    let packed = isPacked(operation.logits)
    if packed, let cluster = LossCluster(operation.logits, capability: device.capability) {
      return try launch(
        "hopper/cross_entropy.cu", "cross_entropy_\(cluster.blocks)", .bfloat16,
        grid: Grid(x: operation.logits.rows * cluster.blocks), threads: cluster.threads, arguments,
        for: operation)
    }
    try launch(
      "CrossEntropy.cu", packed ? "cross_entropy_packed" : "cross_entropy",
      operation.logits.elementType, grid: Grid(x: operation.logits.rows),
      threads: packed
        ? threads(row: operation.logits.columns, operation.logits.elementType) ?? 1024 : 512,
      arguments,
      for: operation)
  }
}

/// How blocks share a row of logits in `hopper/cross_entropy.cu`.
private struct LossCluster {
  /// Blocks that share a row.
  let blocks: Int
  /// Threads of a block: each holds `packs` packs of 8 logits.
  let threads: Int
  private static let packs = 8
  // Blocks of 256 threads were as fast as any, or faster, for 16384 to 128256 logits.
  private static let goodThreads = 256
  private static let mostThreads = 512

  /// Nil where the kernel does not run, or a row is too long for the largest cluster.
  init?(_ logits: TensorView, capability: Int) {
    guard capability == 90, logits.elementType == .bfloat16 else { return nil }
    let rowPacks = logits.columns / 8
    guard rowPacks <= 8 * LossCluster.mostThreads * LossCluster.packs else { return nil }
    let good = LossCluster.goodThreads * LossCluster.packs
    let blocks = [1, 2, 4].first { rowPacks <= $0 * good } ?? 8
    let perWarp = 32 * LossCluster.packs * blocks
    self.blocks = blocks
    threads = max(32, (rowPacks + perWarp - 1) / perWarp * 32)
  }
}
