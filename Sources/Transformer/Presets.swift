/// Named model shapes.
public enum Preset: String, Sendable, CaseIterable {
  /// Learns the built-in corpus in minutes on two cores.
  case tiny
  /// GPT-2 small's size.
  case m124 = "124m"
  /// GPT-2 medium's size.
  case m350 = "350m"
  /// About a billion parameters with Llama 3's vocabulary.
  case b1 = "1b"
  /// About seven billion parameters with Llama 3's vocabulary.
  case b7 = "7b"

  /// The shape.
  public var model: ModelConfiguration {
    var model = ModelConfiguration()
    switch self {
    case .tiny:
      break
    case .m124:
      model.set(width: 768, hidden: 3072, layers: 12, heads: 12, keyValueHeads: 12)
      model.vocabulary = 50304
    case .m350:
      model.set(width: 1024, hidden: 4096, layers: 24, heads: 16, keyValueHeads: 16)
      model.vocabulary = 50304
    case .b1:
      model.set(width: 2048, hidden: 8192, layers: 16, heads: 32, keyValueHeads: 8)
      model.vocabulary = 128256
      model.ropeTheta = 500_000
    case .b7:
      model.set(width: 4096, hidden: 16384, layers: 32, heads: 32, keyValueHeads: 8)
      model.vocabulary = 128256
      model.ropeTheta = 500_000
    }
    return model
  }

  /// The sequence length that the preset trains with unless told otherwise, in tokens.
  public var sequenceLength: Int {
    switch self {
    case .tiny: 256
    case .m124, .m350: 1024
    case .b1, .b7: 4096
    }
  }
}

extension ModelConfiguration {
  fileprivate mutating func set(
    width: Int, hidden: Int, layers: Int, heads: Int, keyValueHeads: Int
  ) {
    self.width = width
    hiddenWidth = hidden
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    headWidth = width / heads
  }
}
