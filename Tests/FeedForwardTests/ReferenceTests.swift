import FeedForward
import Testing

/// The three methods against method.md written down once more in double precision.
@Suite struct ReferenceTests {
  static let tolerance = 1e-5

  @Test(arguments: Variant.columns + Variant.paper, [1, 2, 3] as [UInt64])
  func patternOutputAndGradients(variant: Variant, seed: UInt64) throws {
    let network = try variant.network(seed: seed)
    let result = try network.run()
    let pattern = try network.referencePattern()
    #expect(try network.keptOrder() == pattern.order)
    #expect(try network.keptColumns() == pattern.columns)
    let expected = try network.referenceResult(pattern)
    #expect(expected.output.error(of: result.output) < ReferenceTests.tolerance)
    #expect(expected.input.error(of: result.inputGradient) < ReferenceTests.tolerance)
    #expect(expected.up.error(of: result.upGradient) < ReferenceTests.tolerance)
    #expect(expected.down.error(of: result.downGradient) < ReferenceTests.tolerance)
  }

  /// With small whole numbers nothing rounds: the same tests, to the last bit, ties included.
  @Test(
    arguments: (Variant.columns + Variant.paper).filter {
      $0.configuration.effectiveSparseWeights == .none
    })
  func exactlyOnWholeNumbers(variant: Variant) throws {
    let network = try variant.network(whole: true)
    let result = try network.run()
    let pattern = try network.referencePattern()
    #expect(try network.keptColumns() == pattern.columns)
    let expected = try network.referenceResult(pattern)
    #expect(expected.output.error(of: result.output) == 0)
    #expect(expected.input.error(of: result.inputGradient) == 0)
    #expect(expected.up.error(of: result.upGradient) == 0)
    #expect(expected.down.error(of: result.downGradient) == 0)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func dense(seed: UInt64) throws {
    let network = try NetworkUnderTest(
      tokens: 37, width: 12, hidden: 50, FeedForwardConfiguration(), seed: seed)
    try network.stack.switchMode(to: .dense)
    let result = try network.run()
    let all = Matrix(37, 50, Array(repeating: 1, count: 37 * 50))
    let expected = try network.referenceResult(
      ReferencePattern(order: Array(0..<37), columns: [], mask: all))
    #expect(expected.output.error(of: result.output) < ReferenceTests.tolerance)
    #expect(expected.input.error(of: result.inputGradient) < ReferenceTests.tolerance)
    #expect(expected.up.error(of: result.upGradient) < ReferenceTests.tolerance)
    #expect(expected.down.error(of: result.downGradient) < ReferenceTests.tolerance)
  }

  @Test func everyLayerHasADensityOfItsOwn() throws {
    var configuration = FeedForwardConfiguration()
    configuration.blockTokens = 16
    configuration.keptMultiple = 4
    configuration.densities = [0.125, 0.5, 0.3]
    configuration.clusters = 5
    let network = try NetworkUnderTest(
      tokens: 40, width: 12, hidden: 64, layers: 3, configuration)
    try network.startSparse()
    for (layer, kept) in [8, 32, 20].enumerated() {
      let result = try network.run(layer: layer)
      let pattern = try network.referencePattern(layer: layer)
      #expect(pattern.columns.allSatisfy { $0.count == kept })
      #expect(try network.keptColumns(layer: layer) == pattern.columns)
      let expected = try network.referenceResult(pattern, layer: layer)
      #expect(expected.output.error(of: result.output) < ReferenceTests.tolerance)
      #expect(expected.up.error(of: result.upGradient) < ReferenceTests.tolerance)
    }
  }

  @Test func aLayerThatWouldBeSlowerSparseIsDense() throws {
    var configuration = FeedForwardConfiguration()
    configuration.blockTokens = 16
    configuration.keptMultiple = 4
    configuration.densities = [0.9, 0.25, 0.7]
    configuration.clusters = 5
    configuration.sparseWeights = .up
    let network = try NetworkUnderTest(
      tokens: 37, width: 12, hidden: 48, layers: 3, configuration)
    try network.startSparse()
    let all = Matrix(37, 48, Array(repeating: 1, count: 37 * 48))
    network.stack.collectStatistics()
    for layer in 0..<3 {
      let result = try network.run(layer: layer)
      let pattern =
        layer == 1
        ? try network.referencePattern(layer: layer)
        : ReferencePattern(order: Array(0..<37), columns: [], mask: all)
      let expected = try network.referenceResult(pattern, layer: layer)
      #expect(expected.output.error(of: result.output) < ReferenceTests.tolerance)
      #expect(expected.input.error(of: result.inputGradient) < ReferenceTests.tolerance)
      #expect(expected.up.error(of: result.upGradient) < ReferenceTests.tolerance)
      #expect(expected.down.error(of: result.downGradient) < ReferenceTests.tolerance)
    }
    #expect(network.stack.takeStatistics()?.layers.map(\.density) == [1, 0.25, 1])
  }

  /// Layers in groups that skip dense ones, the last group short; a leader's order for all of its group.
  @Test(arguments: [1, 2, 3, 9])
  func layersShareAnOrder(layersPerOrder: Int) throws {
    var configuration = FeedForwardConfiguration()
    configuration.blockTokens = 16
    configuration.keptMultiple = 4
    configuration.densities = [1, 0.25, 0.25, 1, 0.25, 0.25, 0.25]
    configuration.clusters = 5
    configuration.layersPerOrder = layersPerOrder
    let network = try NetworkUnderTest(
      tokens: 40, width: 12, hidden: 64, layers: 7, configuration)
    try network.startSparse()
    let sparse = [1, 2, 4, 5, 6]
    var orders: [[Int]] = []
    for layer in 0..<7 {
      let result = try network.run(layer: layer)
      guard sparse.contains(layer) else {
        #expect(try network.keptOrder(layer: layer) == Array(0..<40))
        continue
      }
      let pattern = try network.referencePattern(layer: layer)
      orders.append(try network.keptOrder(layer: layer))
      #expect(orders.last == pattern.order)
      #expect(try network.keptColumns(layer: layer) == pattern.columns)
      let expected = try network.referenceResult(pattern, layer: layer)
      #expect(expected.output.error(of: result.output) < ReferenceTests.tolerance)
      #expect(expected.input.error(of: result.inputGradient) < ReferenceTests.tolerance)
      #expect(expected.up.error(of: result.upGradient) < ReferenceTests.tolerance)
    }
    for index in 1..<sparse.count {
      #expect((orders[index] == orders[index - 1]) == (index % layersPerOrder != 0))
    }
  }

  @Test(arguments: Variant.columns + Variant.paper)
  func theSameBitsOnAnyNumberOfThreads(variant: Variant) throws {
    #expect(
      try variant.network(threads: 1).run() == variant.network(threads: 3).run())
  }
}
