import FeedForward

/// Collects step times per kind of step; the first steps of a session warm up and do not count.
struct SpeedMeter {
  private struct Sample {
    let tokensPerSecond: Double
    let feedForward: Double?
  }

  private var dense: [Sample] = []
  private var sparse: [Sample] = []
  private var seen: [FeedForwardMode: Int] = [:]
  private static let warmups = 2

  mutating func add(
    mode: FeedForwardMode, tokens: Int, seconds: Double, feedForwardSeconds: Double
  ) {
    seen[mode, default: 0] += 1
    guard seen[mode, default: 0] > SpeedMeter.warmups, seconds > 0 else { return }
    let sample = Sample(
      tokensPerSecond: Double(tokens) / seconds,
      feedForward: feedForwardSeconds > 0 ? feedForwardSeconds / Double(tokens) : nil)
    if mode == .dense { dense.append(sample) } else { sparse.append(sample) }
  }

  func speed(isDense: Bool) -> RunSummary.Speed? {
    let samples = isDense ? dense : sparse
    guard !samples.isEmpty else { return nil }
    let times = samples.compactMap(\.feedForward)
    return RunSummary.Speed(
      tokensPerSecond: SpeedMeter.median(samples.map(\.tokensPerSecond)),
      feedForwardSecondsPerToken: times.isEmpty ? nil : SpeedMeter.median(times),
      steps: samples.count)
  }

  /// Of at least one value; the mean of the middle two of an even number.
  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
