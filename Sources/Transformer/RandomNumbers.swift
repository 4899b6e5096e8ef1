import Glibc

/// Random numbers that are a pure function of (seed, stream, index): no state to save.
///
/// The generator is SplitMix64's finalizer over a counter (Steele et al., OOPSLA 2014), which
/// passes the usual batteries and starts anywhere in O(1).
public struct CounterRandom: Sendable {
  private let key: UInt64

  /// A stream of its own for every (seed, stream).
  public init(seed: UInt64, stream: UInt64) {
    key = CounterRandom.mix(seed &* 0x9E37_79B9_7F4A_7C15 ^ CounterRandom.mix(stream))
  }

  /// 64 random bits.
  public func bits(_ index: UInt64) -> UInt64 {
    CounterRandom.mix(key &+ (index &+ 1) &* 0x9E37_79B9_7F4A_7C15)
  }

  /// Uniform in (0, 1): never 0, never 1.
  public func uniform(_ index: UInt64) -> Double {
    (Double(bits(index) >> 11) + 0.5) * 0x1p-53
  }

  /// Standard normal, by Box and Muller: indices 2i and 2i+1 share two uniforms.
  public func normal(_ index: UInt64) -> Double {
    let (even, odd) = normalPair(index & ~1)
    return index & 1 == 0 ? even : odd
  }

  /// The normal numbers of an even index and the one after.
  func normalPair(_ index: UInt64) -> (Double, Double) {
    let radius = (-2 * log(uniform(index))).squareRoot()
    let angle = 2 * Double.pi * uniform(index + 1)
    return (radius * cos(angle), radius * sin(angle))
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
