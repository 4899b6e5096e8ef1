import Compute
public import Corpus
public import Transformer

/// Continues a prompt with a model: always dense, keys and values cached.
public struct TextGenerator {
  private let model: TransformerModel
  private let tokenizer: any Tokenizer

  /// A generator for a model and the tokenizer it was trained with.
  public init(_ model: TransformerModel, tokenizer: any Tokenizer) {
    self.model = model
    self.tokenizer = tokenizer
  }

  /// The ids a prompt starts with: the end-of-text token, which precedes every document in
  /// training, then the prompt's own.
  public func promptTokens(_ prompt: String) throws -> [Int32] {
    var ids = tokenizer.endOfText.map { [UInt32($0)] } ?? []
    ids += try tokenizer.encode(Array(prompt.utf8))
    return ids.map(Int32.init(bitPattern:))
  }

  /// Draws up to `count` tokens after a prompt, calling `emit` with each id as it comes.
  ///
  /// Stops early at the end-of-text token, when `capacity` positions are full, or when `emit`
  /// returns false.
  /// - Throws: a sentence when the model gives no probabilities.
  public func generate(
    after prompt: [Int32], count: Int, capacity: Int, sampler: TokenSampler,
    emit: (Int32) -> Bool
  ) throws {
    precondition(!prompt.isEmpty, "an empty prompt")
    let window = max(1, min(capacity, prompt.count + count))
    // A prompt longer than the positions the model was trained for keeps its end.
    let start = Array(prompt.suffix(max(1, window - 1)))
    let session = try InferenceSession(
      model, sequences: 1, capacity: window, maximumChunk: start.count)
    var sampler = sampler
    var logits = try session.nextLogits(start)
    for step in 0..<count {
      guard logits.allSatisfy(\.isFinite) else {
        throw TrainingError(
          "the model gives no probabilities, its logits are not finite: its training diverged; "
            + "take an earlier checkpoint, or train again with a lower schedule.learningRate")
      }
      let next = Int32(sampler.draw(logits))
      if let end = tokenizer.endOfText, next == Int32(end) { return }
      if !emit(next) { return }
      if step + 1 == count || session.position == window { return }
      logits = try session.nextLogits([next])
    }
  }

  /// The text that a prompt continues with, as one string; invalid bytes are replaced.
  ///
  /// - Parameter proceed: asked after every token; false ends the text there.
  public func text(
    after prompt: String, count: Int, capacity: Int, sampler: TokenSampler,
    proceed: () -> Bool = { true }
  ) throws -> String {
    var ids: [UInt32] = []
    var start = try promptTokens(prompt)
    if start.isEmpty { start = [0] }
    try generate(after: start, count: count, capacity: capacity, sampler: sampler) {
      ids.append(UInt32(bitPattern: $0))
      return proceed()
    }
    return String(decoding: tokenizer.decode(ids), as: UTF8.self)
  }
}
