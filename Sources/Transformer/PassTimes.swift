import Compute
import Glibc

/// Seconds that training passes have spent so far, by what they were spent on.
///
/// Counted by the host's clock; where a backend works behind the host's back, only `measure` counts.
public struct PassTimes: Sendable, Equatable {
  /// The products around attention: queries, keys, values, and the way back into the stream.
  public var projections = 0.0
  /// Attention itself: scores, softmax, weighted values, and their gradients.
  public var attention = 0.0
  /// Feed-forward networks; routing, selection and packing included.
  public var feedForward = 0.0
  /// The output projection and the loss, with their gradients.
  public var output = 0.0
  /// Norms, rotary and token embeddings, copies.
  public var other = 0.0

  /// Nothing yet.
  public init() {}

  /// What was spent between an earlier moment and this one.
  public static func - (later: PassTimes, earlier: PassTimes) -> PassTimes {
    var result = PassTimes()
    for part in parts { result[keyPath: part] = later[keyPath: part] - earlier[keyPath: part] }
    return result
  }

  /// The sum of all parts.
  public var total: Double { PassTimes.parts.reduce(0) { $0 + self[keyPath: $1] } }

  private static var parts: [WritableKeyPath<PassTimes, Double>] {
    [\.projections, \.attention, \.feedForward, \.output, \.other]
  }
}

/// A stop watch with one hand: every lap is credited to the part that just ended.
///
/// Where operations are complete when they return, a lap reads the host's clock (some twenty
/// nanoseconds) and the watch always runs. Elsewhere it marks a point on the device, and only while
/// somebody measures.
struct PassClock {
  private(set) var times = PassTimes()
  private let backend: any Backend
  /// Whether a clock on the host tells what the machine does.
  private let runsOnHost: Bool
  private var last = 0.0
  private var isMeasuring = false
  private var before = PassTimes()
  private var beginning = 0.0
  /// The part that ends at every mark but the first; nil is nobody's.
  private var laps: [WritableKeyPath<PassTimes, Double>?] = []

  init(_ backend: any Backend) {
    self.backend = backend
    runsOnHost = backend.runsImmediately
  }

  /// Forgets the time since the last lap.
  mutating func start() throws(ComputeError) {
    if runsOnHost { last = PassClock.now() } else { try mark(nil) }
  }

  /// Credits the time since the last lap to a part.
  mutating func lap(_ part: WritableKeyPath<PassTimes, Double>) throws(ComputeError) {
    guard runsOnHost else { return try mark(part) }
    let now = PassClock.now()
    times[keyPath: part] += now - last
    last = now
  }

  /// Starts to measure: laps are marked on the device from here on.
  mutating func beginMeasuring() throws(ComputeError) {
    try backend.synchronize()
    before = times
    beginning = PassClock.now()
    isMeasuring = true
    try mark(nil)
    laps = []
  }

  /// Seconds since `beginMeasuring`, in all and of the parts.
  mutating func endMeasuring() throws(ComputeError) -> (total: Double, parts: PassTimes) {
    guard !runsOnHost else {
      return (PassClock.now() - beginning, times - before)
    }
    try mark(nil)
    isMeasuring = false
    let seconds = try (backend as? any Timeline)?.takeIntervals() ?? []
    var parts = PassTimes()
    for (part, time) in zip(laps, seconds) {
      if let part { parts[keyPath: part] += time }
    }
    laps = []
    return (seconds.reduce(0, +), parts)
  }

  private mutating func mark(
    _ part: WritableKeyPath<PassTimes, Double>?
  ) throws(ComputeError) {
    guard isMeasuring, let timeline = backend as? any Timeline else { return }
    try timeline.mark()
    laps.append(part)
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
