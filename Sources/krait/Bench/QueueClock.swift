import Compute

/// Notes the time at points of a backend's queue: by the device's own clock where it has one,
/// else by the host's once everything before is done.
final class QueueClock {
  private let backend: any Backend
  private var times: [Double] = []

  init(_ backend: any Backend) { self.backend = backend }

  /// Whether marks leave the host waiting: then work is not queued behind them.
  var isOnDevice: Bool { backend is any Timeline }

  /// Notes the time.
  func mark() throws {
    if let timeline = backend as? any Timeline { return try timeline.mark() }
    if !backend.runsImmediately { try backend.synchronize() }
    times.append(InterleavedTimer.now())
  }

  /// Seconds from each mark to the next since the last call.
  func intervals() throws -> [Double] {
    if let timeline = backend as? any Timeline { return try timeline.takeIntervals() }
    defer { times = [] }
    return zip(times.dropFirst(), times).map { $0 - $1 }
  }
}
