import Glibc
import Transformer

/// Draws the next token from logits: temperature, then the `topK` best, then the smallest set
/// whose probability reaches `topP` (Holtzman et al., arXiv 1904.09751).
public struct TokenSampler: Sendable {
  /// Divides the logits; 0 always takes the best token.
  public var temperature: Double
  /// How many tokens may be drawn; 0 for all.
  public var topK: Int
  /// Probability mass that may be drawn, in (0, 1].
  public var topP: Double
  private let random: CounterRandom
  private var drawn: UInt64 = 0

  /// A sampler whose draws are a pure function of the seed.
  public init(temperature: Double = 0.8, topK: Int = 0, topP: Double = 0.95, seed: UInt64 = 0) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    random = CounterRandom(seed: seed, stream: 0x5A)
  }

  /// The id of the next token, from finite logits. Ties go to the lower id.
  public mutating func draw(_ logits: [Float]) -> Int {
    precondition(!logits.isEmpty && logits.allSatisfy(\.isFinite), "logits that are no numbers")
    var order = Array(logits.indices)
    if temperature <= 0 {
      return order.max { (logits[$0], $1) < (logits[$1], $0) } ?? 0
    }
    order.sort { (logits[$0], $1) > (logits[$1], $0) }
    if topK > 0 && topK < order.count { order.removeSubrange(topK...) }
    let best = Double(logits[order[0]])
    var weights = order.map { exp((Double(logits[$0]) - best) / temperature) }
    let total = weights.reduce(0, +)
    var kept = 0
    var mass: Double = 0
    while kept < weights.count && mass < topP * total {
      mass += weights[kept]
      kept += 1
    }
    weights.removeSubrange(kept...)
    let target = random.uniform(drawn) * mass
    drawn += 1
    var sum: Double = 0
    for (index, weight) in weights.enumerated() {
      sum += weight
      if target < sum { return order[index] }
    }
    return order[kept - 1]
  }
}
