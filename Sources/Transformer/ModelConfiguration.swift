/// The shape of a Llama-layout model with a squared-ReLU feed-forward network without a gate.
public struct ModelConfiguration: Sendable, Equatable, Codable {
  /// d: the width of the residual stream.
  public var width = 256
  /// f: neurons of each feed-forward network.
  public var hiddenWidth = 1024
  /// The number of blocks.
  public var layers = 4
  /// Query heads.
  public var heads = 4
  /// Key and value heads; divides `heads`.
  public var keyValueHeads = 4
  /// Width of one head; need not be width / heads.
  public var headWidth = 64
  /// Token ids are below this.
  public var vocabulary = 257
  /// Base of the rotary frequencies.
  public var ropeTheta = 10000.0
  /// Added to the mean square in every RMSNorm.
  public var normEpsilon = 1e-5
  /// Whether the output projection is the embedding table.
  public var tiedEmbeddings = false
  /// Standard deviation of the initial weights; projections back into the residual stream use
  /// this over sqrt(2 · layers).
  public var initializerRange = 0.02

  /// The defaults: the `tiny` preset.
  public init() {}

  /// One sentence for every size that does not fit; empty when all is well.
  public func problems() -> [String] {
    var found: [String] = []
    func positive(_ value: Int, _ name: String) {
      if value < 1 { found.append("model.\(name) is \(value); it must be at least 1") }
    }
    positive(width, "width")
    positive(hiddenWidth, "hiddenWidth")
    positive(layers, "layers")
    positive(heads, "heads")
    positive(keyValueHeads, "keyValueHeads")
    positive(headWidth, "headWidth")
    positive(vocabulary, "vocabulary")
    if headWidth % 2 != 0 {
      found.append("model.headWidth is \(headWidth); rotary embedding needs an even number")
    }
    if keyValueHeads >= 1 && heads % keyValueHeads != 0 {
      found.append(
        "model.keyValueHeads is \(keyValueHeads); it must divide model.heads, \(heads)")
    }
    if !(ropeTheta > 1) { found.append("model.ropeTheta is \(ropeTheta); it must be above 1") }
    if !(normEpsilon > 0) {
      found.append("model.normEpsilon is \(normEpsilon); it must be above 0")
    }
    if !(initializerRange > 0) {
      found.append("model.initializerRange is \(initializerRange); it must be above 0")
    }
    return found
  }
}
