import Foundation

/// Writes checkpoints on a thread of its own, one at a time, from copies.
///
/// A checkpoint that cannot be written does not end a run: the earlier ones are still there, and
/// the next one may fit. Failures wait for `takeFailures`.
public final class CheckpointWriter: @unchecked Sendable {
  /// A checkpoint that could not be written.
  public struct Failure: Sendable, Equatable {
    /// The step it was of.
    public let step: Int
    /// Why, as a sentence.
    public let reason: String
  }

  // The variables are guarded by `condition`.
  private let condition = NSCondition()
  private var isBusy = false
  private var failures: [Failure] = []
  private var saved: Int?
  private let store: CheckpointStore

  /// A writer into a store.
  ///
  /// - Parameter savedStep: the step of the checkpoint that the run was resumed from.
  public init(_ store: CheckpointStore, savedStep: Int? = nil) {
    self.store = store
    saved = savedStep
  }

  /// The step of the last checkpoint that was written and verified.
  public var savedStep: Int? {
    condition.lock()
    defer { condition.unlock() }
    return saved
  }

  /// Starts writing a snapshot; waits for the one before, if that is still being written.
  public func write(_ snapshot: CheckpointSnapshot) {
    condition.lock()
    while isBusy { condition.wait() }
    isBusy = true
    condition.unlock()
    let thread = Thread { [self] in
      let step = snapshot.state.step
      var problem: Failure?
      do {
        try store.write(snapshot)
      } catch {
        problem = Failure(step: step, reason: "\(error)")
      }
      condition.lock()
      if let problem { failures.append(problem) } else { saved = step }
      isBusy = false
      condition.broadcast()
      condition.unlock()
    }
    thread.name = "krait-checkpoint"
    thread.start()
  }

  /// What went wrong since the last call, in the order of writing; does not wait.
  public func takeFailures() -> [Failure] {
    condition.lock()
    defer {
      failures = []
      condition.unlock()
    }
    return failures
  }

  /// Waits until nothing is being written.
  public func finish() {
    condition.lock()
    while isBusy { condition.wait() }
    condition.unlock()
  }
}
