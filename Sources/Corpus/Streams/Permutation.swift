/// A pseudo-random permutation of 0 ..< count that needs no table.
///
/// A four-round Feistel network on the smallest even number of bits that holds `count`; values
/// that fall outside are walked on until they fall inside (Black and Rogaway, CT-RSA 2002).
package struct Permutation: Sendable {
  private let count: UInt64
  private let halfBits: UInt64
  private let keys: [UInt64]

  package init(count: Int, seed: UInt64) {
    precondition(count >= 1, "a permutation of \(count)")
    self.count = UInt64(count)
    var bits: UInt64 = 2
    while bits < 62 && (UInt64(1) << bits) < self.count { bits += 2 }
    halfBits = bits / 2
    var random = TextRandom(seed: seed)
    keys = (0..<4).map { _ in random.next() }
  }

  /// Where an index goes; every index goes somewhere else or to itself, none twice.
  package subscript(_ index: Int) -> Int {
    var value = UInt64(index)
    repeat { value = scramble(value) } while value >= count
    return Int(value)
  }

  private func scramble(_ value: UInt64) -> UInt64 {
    let mask = (UInt64(1) << halfBits) - 1
    var left = value >> halfBits
    var right = value & mask
    for key in keys {
      var mixed = (right ^ key) &* 0xBF58_476D_1CE4_E5B9
      mixed ^= mixed >> 29
      mixed &*= 0x94D0_49BB_1331_11EB
      mixed ^= mixed >> 32
      (left, right) = (right, left ^ (mixed & mask))
    }
    return left << halfBits | right
  }
}
