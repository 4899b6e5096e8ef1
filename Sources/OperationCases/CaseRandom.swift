import Glibc

/// Deterministic inputs of cases: the same numbers on every machine that checks against another.
///
/// SplitMix64 (Steele et al., OOPSLA 2014) over a counter.
struct CaseRandom {
  private var state: UInt64

  init(_ seed: Int) {
    state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 ^ 0x4B72_6169_74
    _ = bits()
  }

  mutating func bits() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in (0, 1).
  mutating func uniform() -> Double { (Double(bits() >> 11) + 0.5) * 0x1p-53 }

  /// Standard normal, by Box and Muller.
  mutating func normal() -> Double {
    let radius = (-2 * log(uniform())).squareRoot()
    return radius * cos(2 * Double.pi * uniform())
  }

  /// An integer below `limit`.
  mutating func below(_ limit: Int) -> Int { Int(bits() % UInt64(limit)) }
}

/// Where the numbers of a tensor come from; evaluated only when a case is run, so that a list of
/// large cases costs nothing.
public enum CaseValues: Sendable {
  /// Float numbers, rounded to whatever type stores them; the first so many, or all, if a whole
  /// list would be long to draw and its start will do.
  case floats(@Sendable (_ most: Int) -> [Float])
  /// Float numbers that follow from the tensors before this one, as those are stored.
  case derived(@Sendable (CaseNumbers) -> [Float])
  /// 32-bit integers: tokens, orders.
  case int32(@Sendable () -> [Int32])
  /// 16-bit integers: column lists.
  case uint16(@Sendable () -> [UInt16])

  /// Normal numbers.
  static func normal(_ count: Int, seed: Int, deviation: Double = 1) -> CaseValues {
    .floats { most in
      var random = CaseRandom(seed)
      return (0..<min(count, most)).map { _ in Float(random.normal() * deviation) }
    }
  }

  /// Normal numbers of which none, one or two in every four are kept, at places that vary.
  static func twoOfFour(_ count: Int, seed: Int) -> CaseValues {
    .floats { _ in
      var random = CaseRandom(seed)
      var values = [Float](repeating: 0, count: count)
      for four in stride(from: 0, to: count - count % 4, by: 4) {
        for _ in 0..<random.below(3) { values[four + random.below(4)] = Float(random.normal()) }
      }
      return values
    }
  }

  /// What trips careless code: ±0, ties, small and large magnitudes, repeated in random order.
  static func awkward(_ count: Int, seed: Int) -> CaseValues {
    .floats { _ in
      let palette: [Float] = [
        0, -0.0, 1, 1, -1, 0.5, -0.5, 2, 1e-20, -1e-20, 64, -3, .leastNonzeroMagnitude,
      ]
      var random = CaseRandom(seed)
      return (0..<count).map { _ in palette[random.below(palette.count)] }
    }
  }

  /// Activations: squares of normal numbers, half of them zero.
  static func activations(_ count: Int, seed: Int) -> CaseValues {
    .floats { most in
      var random = CaseRandom(seed)
      return (0..<min(count, most)).map { _ in
        let hidden = Float(random.normal())
        return hidden > 0 ? hidden * hidden : 0
      }
    }
  }

  /// All zeros.
  static func zeros(_ count: Int) -> CaseValues {
    .floats { [Float](repeating: 0, count: min(count, $0)) }
  }

  /// These numbers.
  static func exactly(_ values: [Float]) -> CaseValues { .floats { _ in values } }
  /// These numbers.
  static func exactly(_ values: [Int32]) -> CaseValues { .int32 { values } }
  /// These numbers.
  static func exactly(_ values: [UInt16]) -> CaseValues { .uint16 { values } }

  /// Integers below `limit`.
  static func tokens(_ count: Int, below limit: Int, seed: Int) -> CaseValues {
    .int32 {
      var random = CaseRandom(seed)
      return (0..<count).map { _ in Int32(random.below(limit)) }
    }
  }

  /// A permutation of 0 ..< count.
  static func permutation(_ count: Int, seed: Int) -> CaseValues {
    .int32 {
      var random = CaseRandom(seed)
      var order = (0..<Int32(count)).map { $0 }
      for index in stride(from: count - 1, to: 0, by: -1) {
        order.swapAt(index, random.below(index + 1))
      }
      return order
    }
  }

  /// For each of `blocks` blocks, `kept` of `neurons` numbers, ascending.
  static func columnLists(blocks: Int, neurons: Int, kept: Int, seed: Int) -> CaseValues {
    .uint16 {
      var random = CaseRandom(seed)
      var lists: [UInt16] = []
      for _ in 0..<blocks {
        var needed = kept
        for neuron in 0..<neurons where needed > 0 {
          if random.below(neurons - neuron) < needed {
            lists.append(UInt16(neuron))
            needed -= 1
          }
        }
      }
      return lists
    }
  }

  /// Lists whose neighbours are alike, as routed blocks have them: slot j takes one of its own
  /// neurons / kept neurons, so that lists ascend, and three times out of four the one it had.
  static func steadyLists(blocks: Int, neurons: Int, kept: Int, seed: Int) -> CaseValues {
    .uint16 {
      var random = CaseRandom(seed)
      let choices = neurons / kept
      var list = (0..<kept).map { UInt16($0 * choices) }
      var lists: [UInt16] = []
      for _ in 0..<blocks {
        for slot in 0..<kept where random.below(4) == 0 {
          list[slot] = UInt16(slot * choices + random.below(choices))
        }
        lists += list
      }
      return lists
    }
  }

  /// Lists where `changed` slots get another neuron from block to block and the others keep
  /// theirs: in the order of slots, or ascending.
  static func changingLists(
    blocks: Int, neurons: Int, kept: Int, changed: Int, seed: Int, ascending: Bool = false
  ) -> CaseValues {
    .uint16 {
      var random = CaseRandom(seed)
      var all = (0..<neurons).map { UInt16($0) }  // the first `kept` are in slots
      for index in 0..<kept { all.swapAt(index, index + random.below(neurons - index)) }
      var lists: [UInt16] = []
      for _ in 0..<blocks {
        lists += ascending ? all[..<kept].sorted() : Array(all[..<kept])
        for _ in 0..<(kept < neurons ? changed : 0) {
          all.swapAt(random.below(kept), kept + random.below(neurons - kept))
        }
      }
      return lists
    }
  }
}
