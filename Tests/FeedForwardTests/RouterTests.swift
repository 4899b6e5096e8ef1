import Compute
import ComputeCPU
import FeedForward
import Testing

/// Tokens are sorted by their two nearest clusters, and clusters by the tokens they share.
@Suite struct RouterTests {
  /// The order by given scores: unit vectors as centroids make them the tokens' products.
  private func order(_ scores: [Float], clusters: Int) throws -> [Int] {
    let backend = CPUBackend(threads: 2)
    let tokens = scores.count / clusters
    let arena = try Arena(
      byteCount: 2 * Arena.bytes(rows: tokens, columns: clusters)
        + Arena.bytes(rows: clusters, columns: clusters)
        + Arena.bytes(rows: 1, columns: tokens, .int32), on: backend, purpose: "test")
    let input = arena.take(rows: tokens, columns: clusters)
    let room = arena.take(rows: tokens, columns: clusters)
    let centroids = arena.take(rows: clusters, columns: clusters)
    let target = arena.take(rows: 1, columns: tokens, .int32)
    try backend.write(floats: scores, to: input)
    try backend.write(
      floats: (0..<clusters * clusters).map { $0 % (clusters + 1) == 0 ? 1 : 0 }, to: centroids)
    try backend.run(
      RouteTokens(input: input, centroids: centroids, scores: room, order: target))
    return try backend.read(target, as: Int32.self).map(Int.init)
  }

  @Test func nearestThenSecondNearestThenPlace() throws {
    // Clusters 0 and 1 share three tokens, 1 and 2 two: the row is 0, 1, 2.
    let scores: [Float] = [
      1, 9, 5,  // 1, 2: towards the next
      9, 1, 5,  // 0, 2: before cluster 0, from the end on
      9, 5, 1,  // 0, 1
      5, 9, 1,  // 1, 0: from the one before
      9, 5, 4,  // 0, 1
      1, 5, 9,  // 2, 1
    ]
    #expect(try order(scores, clusters: 3) == [1, 2, 4, 3, 0, 5])
  }

  @Test func tiesGoToTheLowerClusterAndTheEarlierToken() throws {
    // Clusters 0 and 1 share four tokens, 2 shares one with either: the row is 1, 0, 2.
    let scores: [Float] = [
      3, 3, 3,  // 0, 1
      1, 3, 3,  // 1, 2
      -0.0, 0, -1,  // 0, 1
      3, 1, 3,  // 0, 2
      2, 2, 2,  // 0, 1
      2, 3, 2,  // 1, 0
    ]
    #expect(try order(scores, clusters: 3) == [1, 5, 0, 2, 4, 3])
    #expect(try order([5, 1, 3], clusters: 1) == [0, 1, 2])
    #expect(try order([Float](repeating: 0, count: 40), clusters: 4) == Array(0..<10))
  }

  @Test(arguments: 1...20)
  func equalsASort(seed: Int) throws {
    var random = TestRandom(UInt64(seed))
    let (tokens, clusters) = (1 + random.below(700), 1 + random.below(9))
    let scores = random.values(tokens * clusters, whole: seed % 2 == 0)
    var unit = Matrix(clusters, clusters)
    for index in 0..<clusters { unit[index, index] = 1 }
    let expected = ReferencePatterns.route(
      Matrix(tokens, clusters, floats: scores), centroids: unit)
    #expect(try order(scores, clusters: clusters) == expected)
  }

  /// A norm's tokens have the order of what it is the norm of, its weights given: lengths do not count.
  @Test func aNormIsRoutedByWhatItIsOf() throws {
    var configuration = FeedForwardConfiguration()
    configuration.blockTokens = 16
    configuration.density = 0.5
    configuration.clusters = 6
    let network = try NetworkUnderTest(tokens: 300, width: 24, hidden: 48, configuration)
    try network.startSparse()
    let backend = network.backend
    let arena = try Arena(
      byteCount: Arena.bytes(rows: 1, columns: 24) + Arena.bytes(rows: 1, columns: 300)
        + Arena.bytes(rows: 300, columns: 24), on: backend, purpose: "test")
    let gain = arena.take(rows: 1, columns: 24)
    let inverse = arena.take(rows: 1, columns: 300)
    let norm = arena.take(rows: 300, columns: 24)
    var random = TestRandom(7)
    try backend.write(floats: (0..<24).map { _ in 1 + 0.9 * random.real() }, to: gain)
    try backend.run(
      RMSNorm.Forward(
        input: network.input, weight: gain, output: norm, inverseRMS: inverse, epsilon: 1e-5))
    func order(_ hidden: TensorView, _ gain: TensorView?) throws -> [Int32] {
      let order = try network.stack.route(layer: 0, hidden: hidden, gain: gain)
      return try backend.read(try #require(order), as: Int32.self)
    }
    let ofNorm = try order(norm, nil)
    #expect(try order(network.input, gain) == ofNorm)
    #expect(try order(network.input, nil) != ofNorm)
  }

  /// Where samples lie evenly, a view shows the rows that a list names.
  @Test(arguments: [(32, 8, 2), (24, 8, 8), (40, 8, 1), (12, 6, 2)])
  func sampledRowsAsAView(tokens: Int, block: Int, samples: Int) throws {
    let backend = CPUBackend(threads: 1)
    let count = SampleTokens.count(tokens: tokens, blockTokens: block, samples: samples)
    let arena = try Arena(
      byteCount: Arena.bytes(rows: 1, columns: count, .int32), on: backend, purpose: "test")
    let list = arena.take(rows: 1, columns: count, .int32)
    let rows = TensorView(address: 4096, rows: tokens, columns: 3, stride: 5)
    for halfway in [false, true] {
      try backend.run(
        SampleTokens(
          tokens: tokens, blockTokens: block, samples: samples, isHalfway: halfway, output: list))
      let view = try #require(
        SampleTokens.view(of: rows, blockTokens: block, samples: samples, isHalfway: halfway))
      #expect(view.rows == count)
      for (index, token) in try backend.read(list, as: Int32.self).enumerated() {
        #expect(
          view.rows(index..<index + 1).address == rows.rows(Int(token)..<Int(token) + 1).address)
      }
    }
    #expect(
      SampleTokens.view(of: rows.rows(0..<tokens - 1), blockTokens: block, samples: samples) == nil)
  }
}
