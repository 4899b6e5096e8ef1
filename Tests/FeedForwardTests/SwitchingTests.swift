import Compute
import ComputeCPU
import FeedForward
import Testing

/// Switching between dense and sparse in mid-run, and the memory that each holds.
@Suite struct SwitchingTests {
  static let variants = Variant.columns + Variant.paper

  @Test(arguments: variants)
  func denseSparseDense(variant: Variant) throws {
    let network = try NetworkUnderTest(
      tokens: variant.tokens, width: variant.width, hidden: variant.hidden,
      variant.configuration, whole: true)
    let stack = network.stack
    let backend = network.backend
    let empty = backend.allocatedBytes
    func held() -> Int { backend.allocatedBytes - empty }
    func expected(_ mode: FeedForwardMode) -> Int {
      FeedForwardStack.bytes(stack.configuration, mode: mode, shape: stack.shape)
    }
    let mode = variant.configuration.mode

    try stack.switchMode(to: .dense)
    #expect(held() == expected(.dense))
    let dense = try network.run()
    try network.startSparse()
    #expect(held() == expected(mode))
    let sparse = try network.run()
    try stack.switchMode(to: .dense)
    #expect(held() == expected(.dense))
    // Neurons have moved since, with whole numbers nothing rounds.
    let denseAgain = try network.run()
    #expect(denseAgain.output == dense.output)
    #expect(denseAgain.inputGradient == dense.inputGradient)
    try stack.switchMode(to: mode)
    #expect(held() == expected(mode))
    #expect(try network.run() == sparse)
  }

  /// Weights that change in a dense phase are the ones that the next sparse phase sees.
  @Test(arguments: [SparseWeights.up, .both])
  func noStaleWeightsAfterADensePhase(which: SparseWeights) throws {
    let network = try Variant("stale") {
      $0.mode = .paper
      $0.sparseWeights = which
    }.network()
    _ = try network.run()
    try network.stack.switchMode(to: .dense)
    for view in [network.weights[0].up, network.weights[0].down] {
      try network.backend.write(try network.backend.read(view).map { 0.5 - $0 }, to: view)
    }
    network.stack.weightsChanged()
    try network.stack.switchMode(to: .paper)
    let result = try network.run()
    let expected = try network.referenceResult(try network.referencePattern())
    #expect(expected.output.error(of: result.output) < ReferenceTests.tolerance)
  }

  /// Without thresholds the sparse pass is that of a stack that never had any.
  @Test func sparseWeightsCanBeLeftOut() throws {
    let thresholded = try Variant("thresholded") { $0.sparseWeights = .up }.network()
    let with = try thresholded.run()
    try thresholded.stack.switchMode(to: .columns, sparseWeights: false)
    #expect(thresholded.stack.thresholdedWeights == SparseWeights.none)
    let without = try thresholded.run()
    let plain = try Variant("plain") { $0.sparseWeights = SparseWeights.none }.network()
    #expect(without == (try plain.run()))
    #expect(with != without)
    try thresholded.stack.switchMode(to: .columns)
    #expect(try thresholded.run() == with)
  }

  /// A stack that took over clusters and scales computes what the first one does.
  @Test(arguments: variants)
  func aRestoredStackGivesTheSameBits(variant: Variant) throws {
    let network = try variant.network()
    let first = try network.run()
    let other = try variant.network()
    let stack = FeedForwardStack(
      configuration: variant.configuration, shape: network.shape, on: other.backend)
    try stack.restore(network.stack.clusterState)
    #expect(!stack.needsClusters)
    try stack.switchMode(to: variant.configuration.mode)
    let arena = try Arena(
      byteCount: Arena.bytes(rows: variant.tokens, columns: variant.width), on: other.backend,
      purpose: "test")
    let output = arena.take(rows: variant.tokens, columns: variant.width)
    try stack.forward(
      layer: 0, weights: other.weights[0], input: try other.input(of: stack),
      residual: other.residual,
      output: output)
    #expect(try other.backend.read(output) == first.output)
  }

  /// A layer that computes densely chooses no columns: nobody would read its U in 8 bits.
  @Test(arguments: [SparseWeights.none, .up, .both])
  func denseLayersHaveNoWeightsInEightBits(which: SparseWeights) throws {
    var shape = FeedForwardShape(tokens: 64, width: 32, hiddenWidth: 256, layers: 3)
    shape.storage = .bfloat16
    var configuration = FeedForwardConfiguration()
    configuration.clusters = 0
    configuration.blockTokens = 16
    configuration.selection = .exact
    configuration.densities = [0.9, 0.25, 0.25]
    configuration.sparseWeights = which
    let without = FeedForwardStack.bytes(configuration, mode: .columns, shape: shape)
    configuration.eightBitChoice = true
    let with = FeedForwardStack.bytes(configuration, mode: .columns, shape: shape)
    let input = Arena.bytes(rows: 64, columns: 16, .uint16)
    let words = BlockEnergies.eightBitWords(neurons: 256, width: 32)
    let weights = which == .none ? 0 : 2 * Arena.bytes(rows: 1, columns: words, .uint16)
    #expect(with - without == input + weights)
    let backend = CPUBackend(threads: 1)
    let stack = FeedForwardStack(configuration: configuration, shape: shape, on: backend)
    try stack.switchMode(to: .columns)
    #expect(backend.allocatedBytes == with)
  }

  /// All six products of the sampled mode together need less memory than one [T, f] matrix.
  @Test(arguments: [0, 6])
  func noDenseMatrixInTheSampledMode(clusters: Int) throws {
    var configuration = FeedForwardConfiguration()
    configuration.blockTokens = 128
    configuration.density = 0.125
    configuration.clusters = clusters
    let network = try NetworkUnderTest(
      tokens: 1024, width: 16, hidden: 1024, configuration)
    try network.recluster()
    let before = network.backend.allocatedBytes
    network.backend.resetPeak()
    try network.stack.switchMode(to: .columns)
    network.stack.collectStatistics()
    _ = try network.run()
    let matrix = Arena.bytes(rows: 1024, columns: 1024)
    #expect(network.backend.peakBytes - before < matrix / 2)
    // And what it keeps is an eighth, its lists and the order.
    #expect(network.stack.savedBytesPerLayer < matrix / 8 + matrix / 64)
    try network.stack.switchMode(to: .dense)
    #expect(network.stack.savedBytesPerLayer == matrix)
  }

  /// What `krait plan` says of a stack is what it allocates, orders of tokens included.
  @Test(
    arguments: [1, 2, 5],
    [(FeedForwardMode.columns, nil), (.columns, 1), (.paper, nil), (.paper, 1)])
  func bytesAreThoseAllocated(
    layersPerOrder: Int, kind: (mode: FeedForwardMode, heldLayers: Int?)
  ) throws {
    var configuration = FeedForwardConfiguration()
    configuration.mode = kind.mode
    configuration.densities = [1, 0.25, 0.25, 1, 0.25]
    configuration.layersPerOrder = layersPerOrder
    configuration.centroidInterval = 5
    configuration.memoryRate = 0.1
    let shape = FeedForwardShape(
      tokens: 4096, width: 16, hiddenWidth: 256, layers: 5, heldLayers: kind.heldLayers)
    let backend = CPUBackend(threads: 1)
    let stack = FeedForwardStack(configuration: configuration, shape: shape, on: backend)
    try stack.switchMode(to: kind.mode)
    #expect(
      backend.allocatedBytes
        == FeedForwardStack.bytes(configuration, mode: kind.mode, shape: shape))
  }
}
