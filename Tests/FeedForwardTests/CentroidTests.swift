import Compute
import FeedForward
import Testing

/// The centroids that tokens are routed by move to where the tokens are.
@Suite struct CentroidTests {
  private let clusters = 6
  private let width = 24

  private func network(
    tokens: Int = 300, interval: Int = 1
  ) throws -> NetworkUnderTest {
    var configuration = FeedForwardConfiguration()
    configuration.blockTokens = 16
    configuration.density = 0.5
    configuration.clusters = clusters
    configuration.centroidInterval = interval
    let network = try NetworkUnderTest(tokens: tokens, width: width, hidden: 48, configuration)
    try network.startSparse()
    return network
  }

  private func centroids(_ network: NetworkUnderTest) throws -> [Float] {
    try network.stack.readClusterState()
    return network.stack.clusterState.centroids[0]
  }

  private func order(_ network: NetworkUnderTest) throws -> [Int32] {
    let order = try network.stack.route(layer: 0, hidden: network.input, gain: nil)
    return try network.backend.read(try #require(order), as: Int32.self)
  }

  /// Rows of the input in the order that the network computes them in.
  private func routedRows(_ network: NetworkUnderTest) throws -> [[Double]] {
    let input = try network.matrix(network.input)
    return try order(network).map { token in (0..<width).map { input[Int(token), $0] } }
  }

  private func score(_ row: [Double], _ centroid: ArraySlice<Float>) -> Double {
    zip(row, centroid).reduce(0) { $0 + $1.0 * Double($1.1) }
  }

  /// A round of k-means as it is told, and the sum of all rows' products with their centroid.
  private func round(
    _ rows: [[Double]], _ centroids: [Float]
  ) -> (moved: [[Double]], total: Double, fresh: Int) {
    let nearest = rows.map { row in
      (0..<clusters).max { first, second in
        score(row, centroids[first * width..<(first + 1) * width])
          < score(row, centroids[second * width..<(second + 1) * width])
      } ?? 0
    }
    let total = zip(rows, nearest).reduce(0) {
      $0 + score($1.0, centroids[$1.1 * width..<($1.1 + 1) * width])
    }
    var fresh = 0
    let moved = (0..<clusters).map { cluster -> [Double] in
      var own = rows.indices.filter { nearest[$0] == cluster }
      if own.count < TokenRouter.fewestTokens {
        own = [cluster * rows.count / clusters]
        fresh += 1
      }
      let sum = (0..<width).map { column in own.reduce(0) { $0 + rows[$1][column] } }
      let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return sum.map { $0 / length }
    }
    return (moved, total, fresh)
  }

  @Test(arguments: [300, 60])
  func theyMoveToTheMeanOfTheirTokensWhenTheStepIsDone(tokens: Int) throws {
    let network = try network(tokens: tokens)
    let before = try centroids(network)
    let orderBefore = try order(network)
    let expected = round(try routedRows(network), before)
    // Of 60 tokens in six clusters, some have fewer than sixteen.
    #expect((expected.fresh > 0) == (tokens == 60))
    network.stack.findCentroidMoves()
    _ = try network.run()
    #expect(try centroids(network) == before)
    #expect(try order(network) == orderBefore)
    try network.stack.applyFindings()
    let after = try centroids(network)
    for (value, wanted) in zip(after, expected.moved.joined()) {
      #expect(abs(Double(value) - wanted) < 1e-5)
    }
    #expect(try order(network) != orderBefore)
  }

  /// What k-means promises: tokens never lie farther from their centroids than before.
  @Test func everyRoundBringsCentroidsNearer() throws {
    let network = try network()
    var last = -Double.infinity
    for _ in 0..<6 {
      let now = round(try routedRows(network), try centroids(network))
      #expect(now.fresh == 0 && now.total >= last - 1e-4)
      last = now.total
      network.stack.findCentroidMoves()
      _ = try network.run()
      try network.stack.applyFindings()
    }
  }

  @Test func aStepThatDoesNotHappenMovesNothing() throws {
    let network = try network()
    let before = try centroids(network)
    network.stack.findCentroidMoves()
    _ = try network.run()
    network.stack.dropFindings()
    try network.stack.applyFindings()
    #expect(try centroids(network) == before)
    // Nor does one that was not asked to.
    _ = try network.run()
    try network.stack.applyFindings()
    #expect(try centroids(network) == before)
  }

  /// The first micro-batch of a step says where; the others do not change it.
  @Test func theFirstMicroBatchDecides() throws {
    func moved(second: Bool) throws -> [Float] {
      let network = try network()
      network.stack.findCentroidMoves()
      _ = try network.run()
      if second {
        var random = TestRandom(9)
        try network.backend.write(
          random.values(network.input.count, whole: false), to: network.input)
        _ = try network.run()
      }
      try network.stack.applyFindings()
      return try centroids(network)
    }
    #expect(try moved(second: true) == moved(second: false))
  }

  /// Nobody is routed by the centroids of a layer that takes another's order.
  @Test func theyStayInLayersThatFollowAnother() throws {
    var configuration = FeedForwardConfiguration()
    configuration.blockTokens = 16
    configuration.densities = [0.5, 0.5, 1, 0.5]
    configuration.clusters = clusters
    configuration.centroidInterval = 1
    configuration.layersPerOrder = 2
    let network = try NetworkUnderTest(
      tokens: 300, width: width, hidden: 192, layers: 4, configuration)
    try network.startSparse()
    let before = network.stack.clusterState.centroids
    network.stack.findCentroidMoves()
    for layer in 0..<4 { _ = try network.run(layer: layer) }
    try network.stack.applyFindings()
    try network.stack.readClusterState()
    let after = network.stack.clusterState.centroids
    #expect(zip(before, after).map { $0 != $1 } == [true, false, false, true])
  }

  @Test func theyOutliveADensePhase() throws {
    let network = try network()
    network.stack.findCentroidMoves()
    _ = try network.run()
    try network.stack.applyFindings()
    let orderBefore = try order(network)
    try network.stack.switchMode(to: .dense)
    try network.stack.switchMode(to: .columns)
    #expect(try order(network) == orderBefore)
  }

  @Test func aRestoredStateTakesThePlaceOfWhatMoved() throws {
    let network = try network()
    let state = network.stack.clusterState
    network.stack.findCentroidMoves()
    _ = try network.run()
    try network.stack.applyFindings()
    try network.stack.restore(state)
    #expect(try centroids(network) == state.centroids[0])
  }

  /// Neither mode nor clusters that do not move take room for it.
  @Test func roomIsTakenWhereCentroidsMove() {
    let shape = FeedForwardShape(tokens: 64, width: 32, hiddenWidth: 128, layers: 3)
    func bytes(_ mode: FeedForwardMode, interval: Int, clusters: Int = 6) -> Int {
      var configuration = FeedForwardConfiguration()
      configuration.mode = mode
      configuration.clusters = clusters
      configuration.centroidInterval = interval
      return FeedForwardStack.bytes(configuration, mode: mode, shape: shape)
    }
    // Centroids that moved, and where clusters stand and will stand.
    let room =
      3 * (Arena.bytes(rows: 6, columns: 32) + 2 * Arena.bytes(rows: 1, columns: 6, .int32))
    #expect(bytes(.columns, interval: 5) - bytes(.columns, interval: 0) == room)
    #expect(bytes(.paper, interval: 5) == bytes(.paper, interval: 0))
    #expect(
      bytes(.columns, interval: 5, clusters: 0) == bytes(.columns, interval: 0, clusters: 0))
  }
}
