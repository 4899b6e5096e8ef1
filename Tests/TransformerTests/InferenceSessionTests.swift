import ComputeCPU
import FeedForward
import Testing
import Transformer

/// A session with cached keys and values computes what a whole pass computes.
@Suite struct InferenceSessionTests {
  @Test(arguments: ArceeGolden.names, [[5, 1, 1, 4], [1], [3, 7], [2, 2]])
  func chunksEqualTheWhole(name: String, chunks: [Int]) throws {
    let golden = try ArceeGolden.load(name)
    let model = try ArceeParityTests.model(golden)
    let length = golden.tokens.count / golden.sequences
    let tokens = Array(golden.tokens[0..<length])
    let whole = try InferenceSession(
      model, sequences: 1, capacity: length, maximumChunk: length
    ).allLogits(tokens)

    let session = try InferenceSession(
      model, sequences: 1, capacity: length, maximumChunk: chunks.max() ?? 1)
    var pieces: [Float] = []
    var turn = 0
    while session.position < length {
      let end = min(session.position + chunks[turn % chunks.count], length)
      pieces += try session.allLogits(Array(tokens[session.position..<end]))
      turn += 1
    }
    #expect(Difference.relative(pieces, whole) < 1e-5)

    session.reset()
    let vocabulary = golden.model.vocabulary
    for index in tokens.indices {
      let next = try session.nextLogits([tokens[index]])
      let row = Array(whole[index * vocabulary..<(index + 1) * vocabulary])
      #expect(Difference.relative(next, row) < 1e-5, "position \(index)")
    }
  }

  @Test(arguments: ArceeGolden.names)
  func lossesEqualTheTrainingPass(name: String) throws {
    let golden = try ArceeGolden.load(name)
    let model = try ArceeParityTests.model(golden)
    let length = golden.tokens.count / golden.sequences
    let pass = try TrainingPass(
      model, feedForward: FeedForwardConfiguration(), sequences: golden.sequences,
      sequenceLength: length)
    try pass.feedForward.switchMode(to: .dense)
    let trained = try pass.run(tokens: golden.tokens, targets: golden.targets, gradientScale: 1)
    let session = try InferenceSession(
      model, sequences: golden.sequences, capacity: length, maximumChunk: length)
    let evaluated = try session.losses(tokens: golden.tokens, targets: golden.targets)
    #expect(Difference.relative(evaluated, trained) < 1e-5)
    #expect(try session.losses(tokens: golden.tokens, targets: golden.targets) == evaluated)
    for (target, loss) in zip(golden.targets, evaluated) where target < 0 { #expect(loss == 0) }
  }

  @Test func noTokenSeesALaterOneOrAnotherSequence() throws {
    let golden = try ArceeGolden.load("tied-grouped")
    let model = try ArceeParityTests.model(golden)
    let length = golden.tokens.count / golden.sequences
    let session = try InferenceSession(
      model, sequences: golden.sequences, capacity: length, maximumChunk: length)
    let before = try session.allLogits(golden.tokens)
    let changed = length + 3  // A token of the second sequence.
    var tokens = golden.tokens
    tokens[changed] = (tokens[changed] + 1) % Int32(golden.model.vocabulary)
    session.reset()
    let after = try session.allLogits(tokens)
    let vocabulary = golden.model.vocabulary
    for token in tokens.indices {
      let row = token * vocabulary..<(token + 1) * vocabulary
      let mayChange = token >= changed && token < 2 * length
      #expect((before[row] != after[row]) == mayChange, "token \(token)")
    }
  }
}
