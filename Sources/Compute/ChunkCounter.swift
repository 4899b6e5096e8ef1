import Synchronization

/// Hands out the numbers 0, 1, 2 … to several threads, each number once.
final class ChunkCounter: Sendable {
  private let next = Atomic<Int>(0)

  /// The next number, or nil when `limit` is reached.
  func take(below limit: Int) -> Int? {
    let value = next.wrappingAdd(1, ordering: .relaxed).oldValue
    return value < limit ? value : nil
  }
}
