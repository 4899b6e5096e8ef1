public import Compute

extension CUDABackend {
  /// A thread per four weights, or eight that lie together.
  public func run(_ operation: SoftThreshold) throws(ComputeError) {
    operation.checkShapes()
    let weights = operation.weights
    if let images = operation.eightBitOutput, takesEightBitCopies(of: operation.output),
      isPacked(operation.output)
    {
      return try runInEightBits(operation, images: images.address)
    }
    var arguments = KernelArguments()
    arguments.addWithStride(weights)
    arguments.addWithStride(operation.output)
    let isPacked =
      weights.elementType == .bfloat16 && weights.hasWholeChunks(16)
      && operation.output.hasWholeChunks(16)
    if !isPacked { arguments.add(weights.rows) }
    arguments.add(weights.columns)
    arguments.add(operation.scale)
    try launch(
      "SoftThreshold.cu", isPacked ? "threshold_packed" : "threshold", weights.elementType,
      grid: isPacked ? Grid(x: weights.rows) : .strided(weights.count / 4), arguments)
  }

  /// The output, and the same in 8 bits: together where weights allow it.
  private func runInEightBits(
    _ operation: SoftThreshold, images: UInt64
  ) throws(ComputeError) {
    let (weights, output) = (operation.weights, operation.output)
    let factors = HopperEnergies.factors(after: images, neurons: output.rows, width: output.columns)
    guard isPacked(weights), weights.elementType == output.elementType else {
      try run(SoftThreshold(weights: weights, output: output, scale: operation.scale))
      return try quantizeTwoFour(output, to: images, factors: factors)
    }
    var arguments = KernelArguments()
    arguments.addWithStride(weights)
    arguments.addWithStride(output)
    arguments.add(output.rows)
    arguments.add(output.columns)
    arguments.add(operation.scale)
    arguments.add(images)
    arguments.add(factors)
    try launch(
      HopperEnergies.twoFourFile, "two_four_threshold", .bfloat16,
      grid: Grid(x: (output.rows + 127) / 128 * 16), threads: 256, arguments, for: operation)
  }

  /// Blocks of a fixed grid in double precision, then their sums in order.
  public func run(_ operation: SoftThresholdMoments) throws(ComputeError) {
    operation.checkShapes()
    let weights = operation.weights
    let grid = Grid.strided(max(weights.count / 4, 1), blocks: 1024)
    let partial = try memory.scratch(bytes: grid.x * 16)
    var sums = KernelArguments()
    sums.addWithStride(weights)
    sums.add(weights.rows)
    sums.add(weights.columns)
    sums.add(partial)
    try launch("SoftThreshold.cu", "moments", weights.elementType, grid: grid, sums)
    var total = KernelArguments()
    total.add(partial)
    total.add(grid.x)
    total.add(operation.result)
    try launch("SoftThreshold.cu", "moments_total", weights.elementType, grid: Grid(x: 1), total)
  }
}
