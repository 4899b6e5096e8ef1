import CUDAInterface
import Compute

/// Events on the stream: the GPU notes the time as it comes by.
final class EventTimeline {
  private let device: CUDADevice
  private var events: [krait_cu_event] = []
  private var used = 0

  init(_ device: CUDADevice) { self.device = device }

  deinit {
    for event in events { _ = device.driver.pointee.event_destroy(event) }
  }

  func mark() throws(ComputeError) {
    try device.enter()
    if used == events.count {
      var made: krait_cu_event?
      try device.check(
        device.driver.pointee.event_create(&made, UInt32(KRAIT_CU_EVENT_DEFAULT)),
        "cuEventCreate", "timing")
      guard let made else { preconditionFailure("the driver gave no event") }
      events.append(made)
    }
    try device.check(
      device.driver.pointee.event_record(events[used], device.stream), "cuEventRecord", "timing")
    used += 1
  }

  func takeIntervals() throws(ComputeError) -> [Double] {
    defer { used = 0 }
    guard used > 1 else { return [] }
    try device.check(
      device.driver.pointee.event_synchronize(events[used - 1]), "cuEventSynchronize", "timing")
    var seconds: [Double] = []
    for index in 1..<used {
      var milliseconds: Float = 0
      try device.check(
        device.driver.pointee.event_elapsed(&milliseconds, events[index - 1], events[index]),
        "cuEventElapsedTime", "timing")
      seconds.append(Double(milliseconds) * 1e-3)
    }
    return seconds
  }
}

extension CUDABackend: Timeline {
  /// Notes the GPU's time once everything asked for so far is done.
  public func mark() throws(ComputeError) { try timeline.mark() }

  /// Seconds between the marks since the last call; see `Timeline`.
  public func takeIntervals() throws(ComputeError) -> [Double] { try timeline.takeIntervals() }
}
