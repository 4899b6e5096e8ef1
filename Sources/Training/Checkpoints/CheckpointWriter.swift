import Foundation

/// Writes checkpoints on a thread of its own, one at a time, from copies.
///
/// A checkpoint that cannot be written does not end a run: the earlier ones are still there, and
/// the next one may fit. Its failure waits for `takeFailure`.
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
  private var failure: Failure?
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
      if let problem { failure = problem } else { saved = step }
      isBusy = false
      condition.broadcast()
      condition.unlock()
    }
    thread.name = "krait-checkpoint"
    thread.start()
  }

  /// What went wrong since the last call, if anything; does not wait.
  public func takeFailure() -> Failure? {
    condition.lock()
    defer {
      failure = nil
      condition.unlock()
    }
    return failure
  }

  /// Waits until nothing is being written.
  public func finish() {
    condition.lock()
    while isBusy { condition.wait() }
    condition.unlock()
  }
}
