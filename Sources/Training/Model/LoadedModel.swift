public import Compute
public import Corpus
import Interchange
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
  /// Optimizer steps it was trained for; nil for a model from elsewhere.
  public let step: Int?
  /// The configuration of the run; nil for a model from elsewhere.
  public let configuration: RunConfiguration?
  /// A sentence for each newer checkpoint that cannot be used.
  public let passedOver: [String]

  /// A model and what is needed to use it; see the properties.
  package init(
    model: TransformerModel, tokenizer: any Tokenizer, sequenceLength: Int, summary: String,
    step: Int?, configuration: RunConfiguration?, passedOver: [String] = []
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.sequenceLength = sequenceLength
    self.summary = summary
    self.step = step
    self.configuration = configuration
    self.passedOver = passedOver
  }

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
      model: model, tokenizer: try folder.tokenizer() ?? RunData.tokenizer(of: configuration.data),
      sequenceLength: configuration.data.sequence,
      summary: "\(path), step \(checkpoint.state.step)", step: checkpoint.state.step,
      configuration: configuration, passedOver: rejected)
  }

  /// Loads a folder in Hugging Face's layout: `config.json` for `ArceeForCausalLM`, safetensors of
  /// type F32, BF16 or F16, and a tokenizer if there is one.
  ///
  /// - Throws: a sentence that names the field or the tensor that does not fit.
  public static func huggingFace(_ path: String, on backend: any Backend) throws -> LoadedModel {
    let folder = try HuggingFaceFolder(path)
    let model = try TransformerModel(folder.model, on: backend)
    try folder.load(into: model)
    return LoadedModel(
      model: model, tokenizer: folder.tokenizer(), sequenceLength: folder.config.positions,
      summary: path, step: nil, configuration: nil)
  }

  /// Loads what a path holds: a run, or a folder in Hugging Face's layout.
  public static func open(_ path: String, on backend: any Backend) throws -> LoadedModel {
    if !RunFolder(path).holdsRun && HuggingFaceFolder.isAt(path) {
      return try huggingFace(path, on: backend)
    }
    return try run(path, on: backend)
  }
}
