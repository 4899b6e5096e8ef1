/// Merges the tokens of one piece: always the pair of lowest rank, of equals the leftmost.
struct PieceMerger {
  private let merges: MergeTable
  private var ids: [UInt32] = []
  private var ranks: [UInt32] = []
  private var tokens: [UInt32] = []

  /// Pieces up to this length are searched for their best pair; longer ones keep a heap.
  private static let searchLimit = 48
  private static let none = UInt32.max

  init(_ merges: MergeTable) { self.merges = merges }

  /// Appends the tokens of a piece to a list.
  mutating func append(
    _ piece: UnsafeBufferPointer<UInt8>, byteTokens: [UInt32], to result: inout [UInt32]
  ) {
    if piece.count > PieceMerger.searchLimit {
      appendByHeap(piece, byteTokens: byteTokens, to: &result)
      return
    }
    ids.removeAll(keepingCapacity: true)
    for byte in piece { ids.append(byteTokens[Int(byte)]) }
    mergeBySearch()
    result += ids
  }

  private mutating func mergeBySearch() {
    var count = ids.count
    if count < 2 { return }
    ranks.removeAll(keepingCapacity: true)
    tokens.removeAll(keepingCapacity: true)
    for index in 0..<count - 1 {
      let merge = merges[ids[index], ids[index + 1]]
      ranks.append(merge?.rank ?? PieceMerger.none)
      tokens.append(merge?.token ?? 0)
    }
    while count > 1 {
      var best = 0
      for index in 1..<max(1, count - 1) where ranks[index] < ranks[best] { best = index }
      guard ranks[best] != PieceMerger.none else { return }
      ids[best] = tokens[best]
      ids.remove(at: best + 1)
      ranks.remove(at: best)
      tokens.remove(at: best)
      count -= 1
      if best + 1 < count { look(best) }
      if best > 0 { look(best - 1) }
    }
  }

  /// Looks up again how a token and the one after it merge.
  private mutating func look(_ index: Int) {
    let merge = merges[ids[index], ids[index + 1]]
    ranks[index] = merge?.rank ?? PieceMerger.none
    tokens[index] = merge?.token ?? 0
  }

  private func appendByHeap(
    _ piece: UnsafeBufferPointer<UInt8>, byteTokens: [UInt32], to result: inout [UInt32]
  ) {
    let count = piece.count
    var ids = piece.map { byteTokens[Int($0)] }
    // Neighbours; a token that was merged into the one before it has `next` −2.
    var next = Array(1...count)
    next[count - 1] = -1
    var previous = Array(-1..<count - 1)
    var heap = MergeHeap(capacity: count)
    func candidate(_ left: Int) {
      guard left >= 0, next[left] >= 0, let merge = merges[ids[left], ids[next[left]]] else {
        return
      }
      heap.push(.init(rank: merge.rank, position: UInt32(left), token: merge.token))
    }
    for index in 0..<count - 1 { candidate(index) }
    while let top = heap.pop() {
      let left = Int(top.position)
      let right = next[left]
      // An entry is out of date when its pair has merged with something else meanwhile.
      guard right >= 0, merges[ids[left], ids[right]]?.token == top.token else { continue }
      ids[left] = top.token
      next[left] = next[right]
      if next[right] >= 0 { previous[next[right]] = left }
      next[right] = -2
      candidate(previous[left])
      candidate(left)
    }
    var index = 0
    while index >= 0 {
      result.append(ids[index])
      index = next[index]
    }
  }
}

/// Possible merges, the one to do first on top.
struct MergeHeap {
  struct Entry {
    let rank: UInt32
    let position: UInt32
    let token: UInt32

    @inline(__always) var order: UInt64 { UInt64(rank) << 32 | UInt64(position) }
  }

  private var entries: [Entry] = []

  init(capacity: Int) { entries.reserveCapacity(capacity) }

  mutating func push(_ entry: Entry) {
    var child = entries.count
    entries.append(entry)
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[child].order < entries[parent].order else { break }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  mutating func pop() -> Entry? {
    guard let top = entries.first else { return nil }
    let last = entries.removeLast()
    if entries.isEmpty { return top }
    entries[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < entries.count else { break }
      if child + 1 < entries.count && entries[child + 1].order < entries[child].order {
        child += 1
      }
      guard entries[child].order < entries[parent].order else { break }
      entries.swapAt(child, parent)
      parent = child
    }
    return top
  }
}
