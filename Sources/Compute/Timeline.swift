/// A backend that notes the time at a point of its queue, without waiting for it.
public protocol Timeline: Backend {
  /// Notes the device's time once everything asked for so far is done.
  func mark() throws(ComputeError)
  /// Seconds from each mark to the next since the last call, one fewer than there were marks;
  /// waits for the last one.
  func takeIntervals() throws(ComputeError) -> [Double]
}
