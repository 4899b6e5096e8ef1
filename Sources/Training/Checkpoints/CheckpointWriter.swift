import Foundation

/// Writes checkpoints on a thread of its own, one at a time, from copies.
public final class CheckpointWriter: @unchecked Sendable {
  // `failure` and `isBusy` are guarded by `condition`.
  private let condition = NSCondition()
  private var isBusy = false
  private var failure: (any Error)?
  private let store: CheckpointStore

  /// A writer into a store.
  public init(_ store: CheckpointStore) { self.store = store }

  /// Starts writing a snapshot; waits for the one before, if that is still being written.
  ///
  /// - Throws: what went wrong with an earlier snapshot.
  public func write(_ snapshot: CheckpointSnapshot) throws {
    try finish()
    condition.lock()
    isBusy = true
    condition.unlock()
    let thread = Thread { [self] in
      var problem: (any Error)?
      do {
        try store.write(snapshot)
      } catch {
        problem = error
      }
      condition.lock()
      failure = problem
      isBusy = false
      condition.broadcast()
      condition.unlock()
    }
    thread.name = "krait-checkpoint"
    thread.start()
  }

  /// Waits until nothing is being written.
  ///
  /// - Throws: what went wrong since the last call.
  public func finish() throws {
    condition.lock()
    while isBusy { condition.wait() }
    let problem = failure
    failure = nil
    condition.unlock()
    if let problem { throw problem }
  }
}
