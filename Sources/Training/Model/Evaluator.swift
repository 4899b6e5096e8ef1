import Glibc
import Compute
public import Transformer

/// The dense loss of a model on windows of tokens: the only loss to quote.
public struct Evaluator {
  /// Sums over evaluated tokens.
  public struct Result: Sendable, Equatable, Codable {
    /// Tokens whose loss was counted.
    public var tokens: Int
    /// Mean loss in nats.
    public var loss: Double
    /// UTF-8 bytes of those tokens; 0 when no tokenizer is known.
    public var bytes: Int

    /// See the properties.
    public init(tokens: Int, loss: Double, bytes: Int) {
      self.tokens = tokens
      self.loss = loss
      self.bytes = bytes
    }

    /// exp(loss).
    public var perplexity: Double { exp(loss) }

    /// Bits per byte of text, comparable across tokenizers; nil when bytes are not known.
    public var bitsPerByte: Double? {
      bytes > 0 ? loss * Double(tokens) / Double(bytes) / log(2) : nil
    }
  }

  private let model: TransformerModel
  private let sequences: Int
  private let sequenceLength: Int

  /// Evaluates `sequences` windows of `sequenceLength` tokens at a time.
  public init(_ model: TransformerModel, sequences: Int, sequenceLength: Int) {
    self.model = model
    self.sequences = sequences
    self.sequenceLength = sequenceLength
  }

  /// The mean loss over windows; memory is taken for the time of the call.
  ///
  /// - Parameters:
  ///   - windows: how many there are.
  ///   - window: tokens and following tokens of window i, `sequenceLength` each.
  ///   - bytes: UTF-8 bytes of a target token; nil when unknown.
  ///   - proceed: asked between calls to the model; false stops with what there is.
  public func evaluate(
    windows: Int, window: (Int) throws -> (tokens: [Int32], targets: [Int32]),
    bytes: ((Int32) -> Int)? = nil, proceed: () -> Bool = { true }
  ) throws -> Result {
    guard windows > 0 else { return Result(tokens: 0, loss: 0, bytes: 0) }
    let together = min(sequences, windows)
    var session: InferenceSession?
    var sum: Double = 0
    var count = 0
    var byteCount = 0
    var next = 0
    while next < windows && proceed() {
      let batch = min(together, windows - next)
      if batch != session?.sequences { session = nil }  // Never two at a time: memory.
      let current =
        try session
        ?? InferenceSession(
          model, sequences: batch, capacity: sequenceLength, maximumChunk: sequenceLength)
      session = current
      var tokens: [Int32] = []
      var targets: [Int32] = []
      for index in next..<next + batch {
        let one = try window(index)
        tokens += one.tokens
        targets += one.targets
      }
      for loss in try current.losses(tokens: tokens, targets: targets) { sum += Double(loss) }
      count += targets.count
      if let bytes { for target in targets { byteCount += bytes(target) } }
      next += batch
    }
    return Result(tokens: count, loss: count > 0 ? sum / Double(count) : 0, bytes: byteCount)
  }
}
