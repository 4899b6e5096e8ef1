/// A binary heap of different numbers, the least first.
struct PairHeap {
  private var items: [UInt64]

  /// Holds some numbers.
  init(_ numbers: [UInt64]) {
    // Sorted numbers are a heap.
    items = numbers.sorted()
  }

  /// The least; nil when it is empty.
  var first: UInt64? { items.first }

  /// Takes the least away.
  mutating func removeFirst() {
    let last = items.removeLast()
    if !items.isEmpty { replaceFirst(by: last) }
  }

  /// Puts another number in the place of the least.
  mutating func replaceFirst(by number: UInt64) {
    let count = items.count
    items.withUnsafeMutableBufferPointer { items in
      var place = 0
      while true {
        var child = 2 * place + 1
        guard child < count else { break }
        if child + 1 < count && items[child + 1] < items[child] { child += 1 }
        guard items[child] < number else { break }
        items[place] = items[child]
        place = child
      }
      items[place] = number
    }
  }
}
