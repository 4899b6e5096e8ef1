import Interchange
import Transformer

extension ModelConfiguration {
  /// The shape that a `config.json` describes.
  ///
  /// - Throws: a sentence naming the file when the sizes do not fit together.
  init(_ config: ArceeConfig, path: String) throws {
    self.init()
    width = config.width
    hiddenWidth = config.hiddenWidth
    layers = config.layers
    heads = config.heads
    keyValueHeads = config.keyValueHeads
    headWidth = config.headWidth
    vocabulary = config.vocabulary
    ropeTheta = config.ropeTheta
    normEpsilon = config.normEpsilon
    tiedEmbeddings = config.tiedEmbeddings
    initializerRange = config.initializerRange
    // Sizes whose products cannot be counted are mistakes; nothing was multiplied before this.
    let limit = 1 << 24
    for (name, size, largest) in [
      ("hidden_size", width, limit), ("intermediate_size", hiddenWidth, limit),
      ("vocab_size", vocabulary, limit), ("num_attention_heads", heads, limit),
      ("num_key_value_heads", keyValueHeads, limit), ("head_dim", headWidth, limit),
      ("num_hidden_layers", layers, 1 << 12),
    ] where size > largest {
      throw TrainingError("'\(path)' cannot be used: \(name) \(size) is too large to be true")
    }
    guard heads * headWidth <= limit else {
      throw TrainingError(
        "'\(path)' cannot be used: num_attention_heads \(heads) times head_dim \(headWidth) is "
          + "too large to be true")
    }
    if let problem = problems().first {
      throw TrainingError("'\(path)' cannot be used: in krait's words, \(problem)")
    }
  }
}

extension ArceeConfig {
  /// What a model is called elsewhere.
  init(
    _ model: ModelConfiguration, positions: Int, endOfText: Int?, type: TensorType,
    notes: [String: String]
  ) {
    self.init(
      vocabulary: model.vocabulary, width: model.width, hiddenWidth: model.hiddenWidth,
      layers: model.layers, heads: model.heads, keyValueHeads: model.keyValueHeads,
      headWidth: model.headWidth, positions: positions, ropeTheta: model.ropeTheta,
      normEpsilon: model.normEpsilon, initializerRange: model.initializerRange,
      tiedEmbeddings: model.tiedEmbeddings, beginToken: endOfText, endToken: endOfText,
      type: type, notes: notes)
  }
}
