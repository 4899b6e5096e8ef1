public import Compute
public import Corpus
public import Transformer

/// A model read back from a run, with what is needed to use it.
public struct LoadedModel {
  /// The parameters, on a backend.
  public let model: TransformerModel
  /// What turns text into its tokens.
  public let tokenizer: any Tokenizer
  /// Tokens of the sequences it was trained on.
  public let sequenceLength: Int
  /// For people: where it comes from.
  public let summary: String
  /// The configuration of the run; nil for a model from elsewhere.
  public let configuration: RunConfiguration?

  /// UTF-8 bytes that each id stands for; 0 for ids that stand for no text.
  public var byteCounts: [Int] {
    (0..<model.configuration.vocabulary).map { id in
      id < tokenizer.vocabularySize && id != tokenizer.endOfText
        ? tokenizer.decode([UInt32(id)]).count : 0
    }
  }

  /// Logits after each of some tokens, [tokens, vocabulary].
  public func logits(_ tokens: [Int32]) throws -> [Float] {
    let session = try InferenceSession(
      model, sequences: 1, capacity: tokens.count, maximumChunk: tokens.count)
    return try session.allLogits(tokens)
  }

  /// Loads the newest whole checkpoint of a run folder.
  ///
  /// - Throws: a sentence when there is none.
  public static func run(_ path: String, on backend: any Backend) throws -> LoadedModel {
    let folder = RunFolder(path)
    let configuration = try folder.configuration()
    let (checkpoint, rejected) = CheckpointStore(folder.checkpointsPath).latestValid()
    guard let checkpoint else {
      let why = rejected.isEmpty ? "" : " (" + rejected.joined(separator: "; ") + ")"
      throw TrainingError(
        "'\(path)' has no checkpoint that can be used\(why); train first, or give another run")
    }
    let model = try TransformerModel(configuration.model, on: backend)
    try checkpoint.load(into: model)
    return LoadedModel(
      model: model, tokenizer: try RunData.tokenizer(configuration.data.tokenizer),
      sequenceLength: configuration.data.sequence,
      summary: "\(path), step \(checkpoint.state.step)", configuration: configuration)
  }
}
