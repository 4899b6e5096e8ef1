/// The random numbers of the built-in corpus: the same on every machine, integers only.
struct TextRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64 (Steele et al., OOPSLA 2014).
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in a range.
  mutating func number(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.count))
  }

  /// One of a list.
  mutating func pick<Element>(_ list: [Element]) -> Element {
    list[Int(next() % UInt64(list.count))]
  }

  /// True in `share` of 100 cases.
  mutating func chance(_ share: Int) -> Bool { number(1...100) <= share }
}
