/// How `counting_sort` of `StableSort.cu` cuts its work: a pure choice.
package struct CountingSortTiles: Equatable {
  /// Key values that a thread block places, 32 at most.
  package let each: Int
  /// Thread blocks.
  package let blocks: Int
  /// Groups of eight keys that a thread holds at once, 6 at most.
  package let vectors: Int
  /// Shared memory of a block: a place for each of those keys.
  package var sharedBytes: Int { 8192 * vectors * 4 }

  /// A block for every multiprocessor as long as none gets more than 32 values; nil when keys do not
  /// fit 16 bits or positions 27.
  ///
  /// - Parameters:
  ///   - limit: one more than the largest key.
  ///   - sharedBytes: what a block may use.
  package init?(count: Int, limit: Int, sharedBytes: Int, multiprocessors: Int) {
    guard limit <= 1 << 16, count < 1 << 27 else { return nil }
    each = min(32, (limit + multiprocessors - 1) / multiprocessors)
    blocks = (limit + each - 1) / each
    let room = (sharedBytes - (5 << 10)) / (8192 * 4)
    vectors = max(1, min(6, room, (count + 8191) / 8192))
  }
}
