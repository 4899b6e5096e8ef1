import Compute

/// What all calls of one kernel, or one library function at one shape, cost together.
public struct CallCost: Sendable {
  /// File and kernel, or library and shape.
  public let label: String
  /// How often it was called.
  public var calls = 0
  /// Time on the GPU, in seconds; a call's way to the GPU included where that was not hidden.
  public var seconds = 0.0
  /// Floating-point operations, where the operation knows them; else 0.
  public var flops = 0.0
  /// Bytes that must move at least once, where the operation knows them; else 0.
  public var bytes = 0.0
}

/// Brackets every call with events while it is on: where the GPU's time goes, kernel by kernel.
final class CallRecord {
  private let events: EventTimeline
  private var calls: [CallCost] = []
  private(set) var isOn = false

  init(_ device: CUDADevice) { events = EventTimeline(device) }

  /// Records until `stop`.
  func start() { isOn = true }

  /// What was called since `start`, the most expensive first.
  func stop() throws(ComputeError) -> [CallCost] {
    isOn = false
    defer { calls = [] }
    // Every call has two events; the intervals between calls are nobody's.
    let intervals = try events.takeIntervals()
    var costs: [String: CallCost] = [:]
    for (index, call) in calls.enumerated() {
      var cost = costs[call.label] ?? CallCost(label: call.label)
      cost.calls += 1
      cost.seconds += intervals[2 * index]
      cost.flops += call.flops
      cost.bytes += call.bytes
      costs[call.label] = cost
    }
    return costs.values.sorted { $0.seconds > $1.seconds }
  }

  /// Runs a call, between two events when recording.
  @inline(__always)
  func bracket<Result>(
    _ label: @autoclosure () -> String, work: (flops: Double, bytes: Double)? = nil,
    _ call: () throws(ComputeError) -> Result
  ) throws(ComputeError) -> Result {
    guard isOn else { return try call() }
    try events.mark()
    let result = try call()
    try events.mark()
    calls.append(
      CallCost(label: label(), flops: work?.flops ?? 0, bytes: work?.bytes ?? 0))
    return result
  }
}
