import Foundation
import Transformer

/// One fixture of Scripts/goldens/arcee.py: what Hugging Face's ArceeForCausalLM computed.
struct ArceeGolden: Decodable {
  /// The model's shape, as the fixture spells it.
  struct Shape: Decodable {
    let width, hiddenWidth, layers, heads, keyValueHeads, headWidth, vocabulary: Int
    let ropeTheta, normEpsilon: Double
    let tiedEmbeddings: Bool

    var configuration: ModelConfiguration {
      var model = ModelConfiguration()
      model.width = width
      model.hiddenWidth = hiddenWidth
      model.layers = layers
      model.heads = heads
      model.keyValueHeads = keyValueHeads
      model.headWidth = headWidth
      model.vocabulary = vocabulary
      model.ropeTheta = ropeTheta
      model.normEpsilon = normEpsilon
      model.tiedEmbeddings = tiedEmbeddings
      return model
    }
  }

  let seed: UInt64
  let model: Shape
  let sequences: Int
  /// Ids, sequence after sequence, and the ids that follow; −100 is ignored.
  let tokens, targets: [Int32]
  /// The loss of every token, in nats.
  let losses: [Float]
  /// [T, vocabulary].
  let logits: [Float]
  /// The gradient of `Σ losses / T` by standard tensor name, in the standard layout.
  let gradients: [String: [Float]]

  /// The fixtures in the repository.
  static let names = ["untied", "tied-grouped", "wide-heads", "large-theta", "narrow-heads-tied"]

  static func load(_ name: String) throws -> ArceeGolden {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/arcee-\(name).json")
    return try JSONDecoder().decode(ArceeGolden.self, from: Data(contentsOf: path))
  }

  /// The values of a tensor in the standard layout: the generator's formula.
  func weights(_ name: String, count: Int, isVector: Bool) -> [Float] {
    let random = CounterRandom(seed: seed, stream: ArceeGolden.hash(name))
    return (0..<count).map { index in
      let centred = random.uniform(UInt64(index)) - 0.5
      return Float(isVector ? 1 + centred : 1.2 * centred)
    }
  }

  /// FNV-1a, 64 bits.
  static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
