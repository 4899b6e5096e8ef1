import Dispatch
import Foundation

/// Reads batches ahead of the trainer, in order, on a thread of its own.
public final class BatchProducer: @unchecked Sendable {
  // Everything mutable is guarded by `condition`; the stream itself is a value.
  private let condition = NSCondition()
  private var ready: [TokenBatch] = []
  private var isStopped = false
  private let stream: BatchStream
  private let samplesPerBatch: Int
  private let depth: Int

  /// Starts reading at a sample; at most `depth` batches wait.
  public init(
    _ stream: BatchStream, firstSample: Int, samplesPerBatch: Int, depth: Int = 4
  ) {
    self.stream = stream
    self.samplesPerBatch = samplesPerBatch
    self.depth = depth
    let thread = Thread { [self] in produce(from: firstSample) }
    thread.name = "krait-batches"
    thread.start()
  }

  /// The next batch; waits when the reader is behind.
  public func next() -> TokenBatch {
    condition.lock()
    defer { condition.unlock() }
    while ready.isEmpty { condition.wait() }
    let batch = ready.removeFirst()
    condition.broadcast()
    return batch
  }

  /// Ends the thread.
  public func stop() {
    condition.lock()
    isStopped = true
    condition.broadcast()
    condition.unlock()
  }

  private func produce(from first: Int) {
    var sample = first
    while true {
      let batch = stream.batch(first: sample, count: samplesPerBatch)
      sample += samplesPerBatch
      condition.lock()
      while ready.count >= depth && !isStopped { condition.wait() }
      if isStopped {
        condition.unlock()
        return
      }
      ready.append(batch)
      condition.broadcast()
      condition.unlock()
    }
  }
}
