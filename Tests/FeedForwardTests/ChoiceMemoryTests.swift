import Compute
import FeedForward
import Testing

/// The choice of columns remembers what samples of earlier steps said.
@Suite struct ChoiceMemoryTests {
  private let neurons = 48
  private let clusters = 5
  private let samples = 2
  private let block = 16

  private func network(
    layers: Int = 1, _ change: (inout FeedForwardConfiguration) -> Void = { _ in }
  ) throws -> NetworkUnderTest {
    var configuration = FeedForwardConfiguration()
    configuration.blockTokens = block
    configuration.keptMultiple = 4
    configuration.density = 0.25
    configuration.samples = samples
    configuration.clusters = clusters
    configuration.neighbourWeight = 0
    configuration.memoryRate = 0.25
    change(&configuration)
    // A last block of three tokens: its four marks are two of those, the last one more than once.
    let network = try NetworkUnderTest(
      tokens: 115, width: 12, hidden: neurons, layers: layers, configuration)
    try network.startSparse()
    return network
  }

  /// Other tokens, as the next step has them.
  private func nextTokens(_ network: NetworkUnderTest, seed: UInt64) throws {
    var random = TestRandom(seed)
    try network.backend.write(random.values(network.input.count, whole: false), to: network.input)
  }

  /// A step that is taken.
  private func step(_ network: NetworkUnderTest) throws {
    network.stack.noteSamples()
    _ = try network.run()
    try network.stack.applyFindings()
  }

  private func remembered(_ network: NetworkUnderTest, layer: Int = 0) throws -> [Float] {
    try network.stack.readClusterState()
    return network.stack.clusterState.remembered[layer]
  }

  /// What a pass should choose, and what it leaves, from what was remembered before; in double precision.
  private func expected(
    _ network: NetworkUnderTest, layer: Int = 0, memory: inout [[Double]]
  ) throws -> [[Int]] {
    let configuration = network.stack.configuration
    let activation = try network.reference(layer: layer).activation
    let order = try network.referenceOrder(layer: layer)
    let blocks = ReferencePatterns.blocks(order, size: block)
    let input = try network.matrix(network.input)
    let centroids = network.stack.clusterState.centroids[layer]
    func nearest(_ token: Int) -> Int {
      let scores = (0..<clusters).map { cluster in
        (0..<input.columns).reduce(0.0) {
          $0 + input[token, $1] * Double(centroids[cluster * input.columns + $1])
        }
      }
      return scores.firstIndex(of: scores.max() ?? 0) ?? 0
    }
    let marks = blocks.indices.map { index in
      [2, 6, 10, 14].map { nearest(order[min(order.count - 1, index * block + $0)]) }
    }
    let own = blocks.map { block in
      ReferencePatterns.sums(
        activation, tokens: ReferencePatterns.samples(of: block, count: samples))
    }
    let lists = blocks.indices.map { index in
      ReferencePatterns.largest(
        own[index].indices.map { neuron in
          own[index][neuron] + marks[index].reduce(0) { $0 + memory[$1][neuron] } / 4
        },
        keep: configuration.keptColumns(
          layer: layer, of: network.shape.layers, hiddenWidth: neurons))
    }
    let before = memory
    for cluster in 0..<clusters {
      let marked = marks.indices.flatMap { index in
        marks[index].filter { $0 == cluster }.map { _ in index }
      }
      guard !marked.isEmpty else { continue }
      for neuron in 0..<neurons {
        let mean = marked.reduce(0) { $0 + own[$1][neuron] } / Double(marked.count)
        memory[cluster][neuron] += configuration.memoryRate * (mean - before[cluster][neuron])
      }
    }
    return lists
  }

  @Test func laterStepsChooseByEarlierSamplesToo() throws {
    let network = try network()
    var memory = [[Double]](repeating: [Double](repeating: 0, count: neurons), count: clusters)
    let zero = memory
    var differences = 0
    for step in 0..<4 {
      try nextTokens(network, seed: UInt64(20 + step))
      network.stack.noteSamples()
      _ = try network.run()
      var forgotten = zero
      let alone = try expected(network, memory: &forgotten)
      #expect(try network.keptColumns() == expected(network, memory: &memory))
      differences += try network.keptColumns() == alone ? 0 : 1
      try network.stack.applyFindings()
      for (value, wanted) in zip(try remembered(network), memory.joined()) {
        #expect(abs(Double(value) - wanted) <= 1e-5 * max(1, abs(wanted)))
      }
    }
    // The first has nothing to remember.
    #expect(differences == 3)
  }

  /// Until a step is taken its passes choose alike, and one that is not taken leaves nothing; passes that
  /// nobody asked to note do not.
  @Test func onlyStepsThatAreTakenAreRemembered() throws {
    let network = try network()
    network.stack.noteSamples()
    _ = try network.run()
    let first = try network.keptColumns()
    _ = try network.run()
    #expect(try network.keptColumns() == first)
    network.stack.dropFindings()
    try network.stack.applyFindings()
    _ = try network.run()
    try network.stack.applyFindings()
    try network.stack.readClusterState()
    #expect(network.stack.clusterState.remembered == [])
    #expect(try network.keptColumns() == first)
  }

  /// All micro-batches of a step are remembered, one after the other.
  @Test func everyMicroBatchCounts() throws {
    func after(_ seeds: [UInt64]) throws -> [Float] {
      let network = try network()
      network.stack.noteSamples()
      for seed in seeds {
        try nextTokens(network, seed: seed)
        _ = try network.run()
      }
      try network.stack.applyFindings()
      return try remembered(network)
    }
    let (one, two) = (try after([3]), try after([3, 4]))
    #expect(one != two)
    #expect(try after([3, 4]) == two)
    #expect(try after([4]) != two)
  }

  /// However many micro-batches a step has, it replaces as much.
  @Test func theRateIsOfAStep() throws {
    func after(_ microBatches: Int) throws -> [Float] {
      let network = try network()
      network.stack.noteSamples(microBatches: microBatches)
      for _ in 0..<microBatches { _ = try network.run() }
      try network.stack.applyFindings()
      return try remembered(network)
    }
    let (one, five) = (try after(1), try after(5))
    for (value, wanted) in zip(five, one) {
      #expect(abs(value - wanted) <= 1e-5 * max(1, abs(wanted)))
    }
  }

  /// Sums of other units are not carried on.
  @Test func whatIsRememberedBelongsToItsSettings() {
    let configuration = FeedForwardConfiguration()
    func remembers(_ change: (inout FeedForwardConfiguration) -> Void) -> Bool {
      var other = configuration
      change(&other)
      return configuration.remembersLike(other)
    }
    #expect(remembers { $0.density = 0.5 })
    #expect(!remembers { $0.samples += 1 })
    #expect(!remembers { $0.chooseBy = .squares })
    #expect(!remembers { $0.blockTokens = 64 })
    #expect(!remembers { $0.layersPerOrder = 2 })
  }

  /// Where nobody remembers any more, what was is forgotten, so that it is not old when somebody does again.
  @Test func switchingItOffForgets() throws {
    let network = try network()
    try step(network)
    #expect(try remembered(network).contains { $0 > 0 })
    let other = try self.network { $0.memoryRate = 0 }
    try other.stack.restore(network.stack.clusterState)
    #expect(other.stack.clusterState.remembered == [])
  }

  @Test func itOutlivesADensePhaseAndARestart() throws {
    let network = try network()
    try step(network)
    try nextTokens(network, seed: 7)
    _ = try network.run()
    let (lists, sums) = (try network.keptColumns(), try remembered(network))
    try network.stack.switchMode(to: .dense)
    try network.stack.switchMode(to: .columns)
    _ = try network.run()
    #expect(try network.keptColumns() == lists)
    let other = try self.network()
    try nextTokens(other, seed: 7)
    try other.stack.restore(network.stack.clusterState)
    _ = try other.run()
    #expect(try other.keptColumns() == lists)
    #expect(try remembered(other) == sums)
  }

  /// Neurons have other numbers then.
  @Test func clusteringAnewForgets() throws {
    let network = try network()
    try step(network)
    #expect(try remembered(network).contains { $0 > 0 })
    try network.recluster()
    #expect(network.stack.clusterState.remembered == [])
    var memory = [[Double]](repeating: [Double](repeating: 0, count: neurons), count: clusters)
    _ = try network.run()
    #expect(try network.keptColumns() == expected(network, memory: &memory))
  }

  /// Layers that follow another's order have a memory of their own, by the other's clusters; dense ones have
  /// none.
  @Test func everyLayerThatChoosesRemembers() throws {
    let network = try network(layers: 3) {
      $0.densities = [0.25, 0.25, 1]
      $0.layersPerOrder = 2
    }
    network.stack.noteSamples()
    for layer in 0..<3 { _ = try network.run(layer: layer) }
    try network.stack.applyFindings()
    #expect(try remembered(network, layer: 0).contains { $0 > 0 })
    #expect(try remembered(network, layer: 1).contains { $0 > 0 })
    #expect(try remembered(network, layer: 0) != remembered(network, layer: 1))
    #expect(try remembered(network, layer: 2).isEmpty)
  }

  @Test func nothingIsRememberedWhereAllTokensChoose() throws {
    let network = try network { $0.selection = .exact }
    try step(network)
    try network.stack.readClusterState()
    #expect(network.stack.clusterState.remembered == [])
  }
}
