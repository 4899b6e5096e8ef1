import Compute
import ComputeCPU
import FeedForward
import Testing

/// Balanced k-means of neurons, and what re-clustering does to a network.
@Suite struct ClusterTests {
  private func clusters(
    _ rows: Matrix, _ count: Int, seeds: [Float]? = nil, threads: Int = 2
  ) -> NeuronClusters {
    NeuronClusters(
      rows: rows.values.map(Float.init), width: rows.columns, clusters: count, seeds: seeds,
      threads: threads
    ) { neurons, centroids in
      let left = Matrix(neurons.count / rows.columns, rows.columns, floats: neurons)
      let right = Matrix(centroids.count / rows.columns, rows.columns, floats: centroids)
      return (left * right.transposed).values.map(Float.init)
    }
  }

  private func randomRows(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    var random = TestRandom(seed)
    return Matrix(rows, columns, floats: random.values(rows * columns, whole: false))
  }

  private func normalisedRows(_ matrix: Matrix) -> Matrix {
    var result = matrix
    for row in 0..<matrix.rows {
      let length = (0..<matrix.columns).reduce(0) { $0 + matrix[row, $1] * matrix[row, $1] }
        .squareRoot()
      for column in 0..<matrix.columns where length > 0 { result[row, column] /= length }
    }
    return result
  }

  /// The normalised mean of some normalised rows.
  private func centroid(_ unit: Matrix, rows: [Int]) -> Matrix {
    var sum = Matrix(1, unit.columns)
    for row in rows {
      for column in 0..<unit.columns { sum[0, column] += unit[row, column] }
    }
    return normalisedRows(sum)
  }

  @Test(arguments: [(1, 1), (7, 6), (64, 5), (100, 48), (96, 48), (1024, 48), (33, 33)])
  func sizesDifferByOneAtMostAndCentroidsAreMeans(neurons: Int, count: Int) {
    let rows = randomRows(neurons, 6, seed: 4)
    let result = clusters(rows, count)
    #expect(result.sizes.reduce(0, +) == neurons)
    #expect(result.sizes.allSatisfy { $0 == neurons / count || $0 == neurons / count + 1 })
    #expect(result.assignment.allSatisfy { (0..<count).contains($0) })
    let unit = normalisedRows(rows)
    for cluster in 0..<count {
      let members = result.assignment.indices.filter { result.assignment[$0] == cluster }
      let expected = centroid(unit, rows: members)
      let own = Array(result.centroids[cluster * 6..<(cluster + 1) * 6])
      #expect(expected.error(of: own) < 1e-5)
    }
  }

  /// Against a list of all pairs, sorted: ties, a cluster more than its share, scores that are none.
  @Test(arguments: [(1, 1), (12, 5), (40, 8), (41, 8), (47, 8), (9, 9)], [UInt64(1), 2, 3])
  func pairsAreTakenInTheOrderOfTheirScores(sizes: (Int, Int), seed: UInt64) {
    let (neurons, clusters) = sizes
    var random = TestRandom(seed)
    // Few different values, so that many are equal.
    var scores = random.values(neurons * clusters, whole: true)
    if seed == 2 { scores[scores.count / 2] = .nan }
    if seed == 3 { scores = scores.map { $0 == 0 ? -0.0 : $0 } }
    let result = NeuronClusters(
      rows: Array(repeating: 1, count: neurons), width: 1, clusters: clusters, rounds: 1
    ) { _, _ in scores }
    let order = scores.indices.sorted {
      let (first, second) = (scores[$0], scores[$1])
      if first.isNaN || second.isNaN { return first.isNaN == second.isNaN ? $0 < $1 : second.isNaN }
      return first == second ? $0 < $1 : first > second
    }
    var expected = Array(repeating: -1, count: neurons)
    var taken = Array(repeating: 0, count: clusters)
    var larger = neurons % clusters
    for pair in order where expected[pair / clusters] < 0 {
      let cluster = pair % clusters
      let share = neurons / clusters
      guard taken[cluster] < share || taken[cluster] == share && larger > 0 else { continue }
      if taken[cluster] == share { larger -= 1 }
      taken[cluster] += 1
      expected[pair / clusters] = cluster
    }
    #expect(result.assignment == expected)
  }

  /// More threads than chunks of neurons or clusters, and a last chunk that is short.
  @Test(arguments: [2, 3, 5, 64])
  func threadsDoNotChangeTheResult(threads: Int) {
    let rows = randomRows(1000, 6, seed: 5)
    #expect(clusters(rows, 48, threads: threads) == clusters(rows, 48, threads: 1))
  }

  @Test func findsClustersThatAreThere() {
    var random = TestRandom(8)
    // Sixty neurons of random length around the axes, in a mixed order.
    var rows = Matrix(60, 5)
    for row in 0..<60 {
      let length = Double(abs(random.real())) + 0.1
      for column in 0..<5 {
        rows[row, column] = length * ((row * 7 % 5 == column ? 1 : 0) + 0.1 * Double(random.real()))
      }
    }
    let result = clusters(rows, 5)
    for row in 0..<60 {
      #expect(result.assignment[row] == result.assignment[row * 7 % 5 * 3 % 5])
    }
    #expect(Set(result.assignment).count == 5)
  }

  @Test func ordersArePermutationsThatGatherOrSpreadClusters() {
    for (neurons, count) in [(64, 8), (64, 5), (96, 16), (100, 48), (60, 4)] {
      let result = clusters(randomRows(neurons, 6, seed: 9), count)
      let contiguous = result.contiguousOrder
      #expect(contiguous.sorted() == Array(0..<neurons))
      let inOrder = contiguous.map { result.assignment[$0] }
      #expect(inOrder == inOrder.sorted())
      let interleaved = result.interleavedOrder
      #expect(interleaved.sorted() == Array(0..<neurons))
      // Any C neurons in a row, so any M of at most C, are of different clusters.
      for start in 0...neurons - count {
        #expect(
          Set(interleaved[start..<start + count].map { result.assignment[$0] }).count == count)
      }
    }
  }

  @Test func equalNeuronsAndZeroNeuronsStillBalance() {
    let equal = clusters(Matrix(10, 3, Array(repeating: 1, count: 30)), 4)
    #expect(equal.sizes.sorted() == [2, 2, 3, 3])
    let zero = clusters(Matrix(10, 3), 4)
    #expect(zero.sizes.sorted() == [2, 2, 3, 3])
    #expect(zero.centroids.allSatisfy { $0 == 0 })
  }

  @Test func startsFromTheSeedsItIsGiven() {
    let rows = randomRows(80, 6, seed: 12)
    let first = clusters(rows, 6)
    let again = clusters(rows, 6, seeds: first.centroids)
    #expect(again.sizes.reduce(0, +) == 80)
    // Seeds in another order name the same clusters otherwise.
    let turned = Array(first.centroids[6...] + first.centroids[..<6])
    let renamed = clusters(rows, 6, seeds: turned)
    for cluster in 0..<6 {
      let own = renamed.centroids[cluster * 6..<(cluster + 1) * 6]
      let next = (cluster + 1) % 6
      #expect(Array(own) == Array(again.centroids[next * 6..<(next + 1) * 6]))
    }
  }

  @Test(arguments: [FeedForwardMode.columns, .paper])
  func reclusteringMovesNeuronsWithTheirMomentsAndChangesNothingElse(
    mode: FeedForwardMode
  ) throws {
    var configuration = FeedForwardConfiguration()
    configuration.mode = mode
    configuration.clusters = 6
    let network = try NetworkUnderTest(
      tokens: 20, width: 8, hidden: 64, layers: 2, configuration, seed: 21)
    try network.stack.switchMode(to: .dense)
    let backend = network.backend
    for layer in 0..<2 {
      // The moment of neuron n holds n: where a neuron went can be read off.
      let marks = (0..<64).flatMap { Array(repeating: Float($0), count: 8) }
      try backend.write(marks, to: network.companions[layer])
    }
    let up = try (0..<2).map { try network.matrix(network.weights[$0].up) }
    let down = try (0..<2).map { try network.matrix(network.weights[$0].down) }
    let before = try (0..<2).map { try network.run(layer: $0) }
    try network.recluster()
    for layer in 0..<2 {
      let marks: [Float] = try backend.read(network.companions[layer])
      let order = (0..<64).map { Int(marks[$0 * 8]) }
      #expect(order.sorted() == Array(0..<64))
      #expect(order != Array(0..<64))
      let newUp = try network.matrix(network.weights[layer].up)
      let newDown = try network.matrix(network.weights[layer].down)
      for (position, neuron) in order.enumerated() {
        for column in 0..<8 {
          #expect(Int(marks[position * 8 + column]) == neuron)
          #expect(newUp[position, column] == up[layer][neuron, column])
          #expect(newDown[position, column] == down[layer][neuron, column])
        }
      }
      let after = try network.run(layer: layer)
      #expect(
        Matrix(20, 8, floats: before[layer].output).error(of: after.output) < 1e-6)
      #expect(
        Matrix(20, 8, floats: before[layer].inputGradient).error(of: after.inputGradient) < 1e-6)
      try expectCentroidsMatch(network, layer: layer, newUp)
    }
    #expect(
      network.stack.clusterState.sizes.allSatisfy { $0.sorted() == [10, 10, 11, 11, 11, 11] })
  }

  /// Whichever neurons a centroid is the mean of: contiguous ones, or every C-th.
  private func expectCentroidsMatch(
    _ network: NetworkUnderTest, layer: Int, _ up: Matrix
  ) throws {
    let sizes = network.stack.clusterState.sizes[layer]
    let flat = network.stack.clusterState.centroids[layer]
    let unit = normalisedRows(up)
    let turn = sizes.indices.sorted { (-sizes[$0], $0) < (-sizes[$1], $1) }
    for cluster in sizes.indices {
      let members: [Int]
      if network.stack.configuration.mode == .columns {
        let start = sizes[..<cluster].reduce(0, +)
        members = Array(start..<start + sizes[cluster])
      } else {
        let first = turn.firstIndex(of: cluster) ?? 0
        members = (0..<sizes[cluster]).map { first + $0 * sizes.count }
      }
      let own = Array(flat[cluster * 8..<(cluster + 1) * 8])
      #expect(centroid(unit, rows: members).error(of: own) < 1e-5)
    }
  }

  @Test func scalesAreFrozenWhenSparsityIsFirstSwitchedOn() throws {
    let network = try Variant("frozen") {
      $0.mode = .paper
      $0.sparseWeights = .both
    }.network()
    let state = network.stack.clusterState
    let own = network.weights[0]
    for (scale, view) in [(state.upScales[0], own.up), (state.downScales[0], own.down)] {
      #expect(abs(Double(scale) - ReferencePatterns.scale(try network.matrix(view))) < 1e-5)
      let values: [Float] = try network.backend.read(view)
      try network.backend.write(values.map { $0 + 0.5 }, to: view)
    }
    try network.recluster()
    try network.stack.switchMode(to: .dense)
    try network.startSparse()
    #expect(network.stack.clusterState.upScales == state.upScales)
    #expect(network.stack.clusterState.downScales == state.downScales)
    let result = try network.run()
    let expected = try network.referenceResult(try network.referencePattern())
    #expect(expected.output.error(of: result.output) < ReferenceTests.tolerance)
  }
}
