import Dispatch
import Synchronization

/// Work on many items at the same time; every item writes its own result, so that nothing depends
/// on the number of lanes.
struct ParallelItems: Sendable {
  let lanes: Int

  /// Calls `body(lane, index)` once for every index below `count`, and returns when all are done.
  func forEach(_ count: Int, _ body: (_ lane: Int, _ index: Int) -> Void) {
    withoutActuallyEscaping(body) { escapable in
      // Items are disjoint, and concurrentPerform returns only after the last one.
      nonisolated(unsafe) let work = escapable
      let next = Counter()
      DispatchQueue.concurrentPerform(iterations: min(lanes, count)) { lane in
        while true {
          let index = next.value.add(1, ordering: .relaxed).oldValue
          guard index < count else { return }
          work(lane, index)
        }
      }
    }
  }

  /// The results of all items, in order; the first error in that order, if there is one.
  func map<Result>(
    _ count: Int, _ body: (_ lane: Int, _ index: Int) throws -> Result
  ) throws -> [Result] {
    var results = [Swift.Result<Result, any Error>?](repeating: nil, count: count)
    results.withUnsafeMutableBufferPointer { all in
      nonisolated(unsafe) let all = all
      forEach(count) { lane, index in
        all[index] = Swift.Result { try body(lane, index) }
      }
    }
    return try results.compactMap { try $0?.get() }
  }

  private final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }
}
