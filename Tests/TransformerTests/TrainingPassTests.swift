import Compute
import ComputeCPU
import FeedForward
import Testing
import Transformer

/// How a batch is cut does not change what is computed.
@Suite struct TrainingPassTests {
  /// A vocabulary so large that the logits of 96 tokens are computed in two chunks, and those of
  /// 16 in one.
  @Test func chunksOfLogitsAndMicroBatchesAddUp() throws {
    var shape = ModelConfiguration()
    shape.width = 4
    shape.hiddenWidth = 12
    shape.layers = 1
    shape.heads = 1
    shape.keyValueHeads = 1
    shape.headWidth = 4
    shape.vocabulary = 1 << 18
    shape.initializerRange = 0.5
    shape.tiedEmbeddings = true
    let backend = CPUBackend(threads: 2)
    let model = try TransformerModel(shape, on: backend)
    try model.initialize(seed: 3)
    let random = CounterRandom(seed: 5, stream: 0)
    let ids = (0...96).map { Int32(random.bits(UInt64($0)) % UInt64(shape.vocabulary)) }
    let tokens = Array(ids[0..<96])
    let targets = Array(ids[1...96])

    func pass(sequences: Int) throws -> (losses: [Float], gradients: [Float]) {
      let pass = try TrainingPass(
        model, feedForward: FeedForwardConfiguration(), sequences: sequences, sequenceLength: 16)
      try pass.feedForward.switchMode(to: .dense)
      var losses: [Float] = []
      for start in stride(from: 0, to: 96, by: sequences * 16) {
        let range = start..<start + sequences * 16
        losses += try pass.run(
          tokens: Array(tokens[range]), targets: Array(targets[range]), gradientScale: 1.0 / 96)
      }
      return (losses, try backend.read(pass.gradients.all))
    }
    let whole = try pass(sequences: 6)
    let parts = try pass(sequences: 1)
    #expect(Difference.relative(parts.losses, whole.losses) < 1e-5)
    #expect(Difference.relative(parts.gradients, whole.gradients) < 1e-4)
    #expect(whole.gradients.contains { $0 != 0 })
  }

  @Test func gradientsAreAddedToWhatIsThere() throws {
    let golden = try ArceeGolden.load("untied")
    let model = try ArceeParityTests.model(golden)
    let pass = try TrainingPass(
      model, feedForward: FeedForwardConfiguration(), sequences: golden.sequences,
      sequenceLength: golden.tokens.count / golden.sequences)
    try pass.feedForward.switchMode(to: .dense)
    for _ in 0..<2 {
      _ = try pass.run(
        tokens: golden.tokens, targets: golden.targets,
        gradientScale: 0.5 / Float(golden.tokens.count))
    }
    for (tensor, values) in try ArceeParityTests.standard(pass.gradients, model) {
      #expect(Difference.relative(values, golden.gradients[tensor] ?? []) < 1e-4, "\(tensor)")
    }
  }

  /// A batch's first micro-batch need not find zeros: whatever an earlier batch left is gone.
  @Test(arguments: [false, true], [FeedForwardMode.dense, .columns])
  func gradientsReplaceWhatIsThere(tied: Bool, mode: FeedForwardMode) throws {
    var shape = ModelConfiguration()
    shape.width = 32
    shape.hiddenWidth = 128
    shape.layers = 2
    shape.heads = 4
    shape.keyValueHeads = 2
    shape.headWidth = 8
    shape.vocabulary = 61
    shape.tiedEmbeddings = tied
    var recipe = FeedForwardConfiguration()
    recipe.blockTokens = 16
    recipe.samples = 4
    recipe.keptMultiple = 8
    recipe.clusters = 4
    let backend = CPUBackend(threads: 2)
    let model = try TransformerModel(shape, on: backend)
    try model.initialize(seed: 3)
    let pass = try TrainingPass(model, feedForward: recipe, sequences: 2, sequenceLength: 48)
    if mode != .dense {
      try pass.feedForward.recluster(
        pass.feedForwardParameters, companions: Array(repeating: [], count: shape.layers))
    }
    try pass.feedForward.switchMode(to: mode)
    let random = CounterRandom(seed: 5, stream: 0)
    func run(from start: Int, replacing: Bool) throws {
      let ids = (start...start + 96).map { Int32(random.bits(UInt64($0)) % 61) }
      _ = try pass.run(
        tokens: Array(ids.dropLast()), targets: Array(ids.dropFirst()), gradientScale: 0.01,
        replacing: replacing)
    }
    try run(from: 0, replacing: false)
    try run(from: 500, replacing: false)
    let fromZero = try backend.read(pass.gradients.all)
    try run(from: 1000, replacing: false)
    try run(from: 0, replacing: true)
    try run(from: 500, replacing: false)
    #expect(fromZero.contains { $0 != 0 })
    #expect(try backend.read(pass.gradients.all) == fromZero)
  }
}
