/// The tokens of short pieces seen lately: most pieces of a text come again and again.
///
/// One entry per slot; a newer piece takes the slot of an older one. Not for several threads.
final class PieceCache {
  /// Longer pieces, and those of more tokens, are not kept.
  static let longestPiece = 15
  private static let mostTokens = 7
  private static let slotCount = 1 << 15

  /// 48 bytes: the piece with its length as the last byte, and its tokens.
  private struct Slot {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var count: UInt32 = 0
    var tokens: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0, 0)
  }

  /// A piece as two numbers.
  struct Key {
    fileprivate let low: UInt64
    fileprivate let high: UInt64
    fileprivate let index: Int

    /// The key of a piece of 1 to 15 bytes.
    @inline(__always)
    init?(_ piece: UnsafeBufferPointer<UInt8>) {
      guard piece.count <= PieceCache.longestPiece, piece.count > 0 else { return nil }
      var low: UInt64 = 0
      var high = UInt64(piece.count) << 56
      for index in 0..<min(8, piece.count) { low |= UInt64(piece[index]) << UInt64(8 * index) }
      if piece.count > 8 {
        for index in 8..<piece.count { high |= UInt64(piece[index]) << UInt64(8 * (index - 8)) }
      }
      self.low = low
      self.high = high
      let mixed = (low ^ (high &* 0xD1B5_4A32_D192_ED03)) &* 0x9E37_79B9_7F4A_7C15
      index = Int(truncatingIfNeeded: mixed >> 40) & (PieceCache.slotCount - 1)
    }
  }

  private let slots: UnsafeMutablePointer<Slot>

  init() {
    slots = .allocate(capacity: PieceCache.slotCount)
    slots.initialize(repeating: Slot(), count: PieceCache.slotCount)
  }

  deinit { slots.deallocate() }

  /// Appends the tokens of a piece if they are known.
  @inline(__always)
  func append(_ key: Key, to result: inout [UInt32]) -> Bool {
    guard slots[key.index].low == key.low, slots[key.index].high == key.high else { return false }
    let count = Int(slots[key.index].count)
    if count == 1 {
      result.append(slots[key.index].tokens.0)
      return true
    }
    withUnsafeBytes(of: &slots[key.index].tokens) { bytes in
      result.append(contentsOf: bytes.bindMemory(to: UInt32.self).prefix(count))
    }
    return true
  }

  /// Remembers the tokens of a piece.
  func store(_ key: Key, _ tokens: ArraySlice<UInt32>) {
    guard tokens.count <= PieceCache.mostTokens else { return }
    slots[key.index].low = key.low
    slots[key.index].high = key.high
    slots[key.index].count = UInt32(tokens.count)
    withUnsafeMutableBytes(of: &slots[key.index].tokens) { bytes in
      let target = bytes.bindMemory(to: UInt32.self)
      for (index, token) in tokens.enumerated() { target[index] = token }
    }
  }
}
