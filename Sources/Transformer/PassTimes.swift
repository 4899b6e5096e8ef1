import Glibc

/// Seconds that training passes have spent so far, by what they were spent on.
///
/// Counted by the host's clock; all zero where a backend works behind the host's back.
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
/// A lap costs one read of the clock, some twenty nanoseconds.
struct PassClock {
  private(set) var times = PassTimes()
  private let isRunning: Bool
  private var last = 0.0

  /// A clock that stands still where the host's time says nothing about the device.
  init(running: Bool) { isRunning = running }

  /// Forgets the time since the last lap.
  mutating func start() {
    if isRunning { last = PassClock.now() }
  }

  /// Credits the time since the last lap to a part.
  mutating func lap(_ part: WritableKeyPath<PassTimes, Double>) {
    guard isRunning else { return }
    let now = PassClock.now()
    times[keyPath: part] += now - last
    last = now
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
