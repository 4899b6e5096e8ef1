/// Which pairs of tokens merge, in which order, into what: open addressing, one cache line a look.
final class MergeTable: Sendable {
  /// A merge: the lower the rank, the earlier.
  struct Merge {
    let rank: UInt32
    let token: UInt32
  }

  private struct Slot {
    var pair: UInt64
    var merge: Merge
  }

  private static let empty = UInt64.max
  private nonisolated(unsafe) let slots: UnsafeMutablePointer<Slot>
  private let mask: Int

  /// A table of merges in order of rank; of a pair that comes twice, the last counts, as in
  /// Hugging Face's reader.
  init(_ merges: [(left: UInt32, right: UInt32, token: UInt32)]) {
    var size = 16
    while size < merges.count * 2 { size *= 2 }
    mask = size - 1
    slots = .allocate(capacity: size)
    slots.initialize(
      repeating: Slot(pair: MergeTable.empty, merge: Merge(rank: 0, token: 0)), count: size)
    for (rank, merge) in merges.enumerated() {
      let pair = UInt64(merge.left) << 32 | UInt64(merge.right)
      var index = MergeTable.hash(pair) & mask
      while slots[index].pair != MergeTable.empty && slots[index].pair != pair {
        index = (index + 1) & mask
      }
      slots[index] = Slot(pair: pair, merge: Merge(rank: UInt32(rank), token: merge.token))
    }
  }

  deinit { slots.deallocate() }

  @inline(__always)
  private static func hash(_ pair: UInt64) -> Int {
    let mixed = (pair ^ pair >> 29) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 24)
  }

  /// The merge of two tokens, if they merge.
  @inline(__always)
  subscript(_ left: UInt32, _ right: UInt32) -> Merge? {
    let pair = UInt64(left) << 32 | UInt64(right)
    var index = MergeTable.hash(pair) & mask
    while true {
      let slot = slots[index]
      if slot.pair == pair { return slot.merge }
      if slot.pair == MergeTable.empty { return nil }
      index = (index + 1) & mask
    }
  }
}
