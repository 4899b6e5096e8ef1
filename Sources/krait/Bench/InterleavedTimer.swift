import Compute
import Glibc

/// Times several variants of the same work side by side: warmed up, interleaved, medians.
///
/// Interleaving makes a slow minute of the machine hit every variant alike, so that ratios hold
/// even where absolute times do not. On a device with a clock of its own a variant is repeated
/// without waiting until it fills some milliseconds, after one pass that does not count (its
/// neighbour's data leaves the cache), and a whole round is queued before anything is waited for.
struct InterleavedTimer {
  /// One way to do the work; a pass may leave it queued.
  struct Variant {
    let name: String
    let body: () throws -> Void
  }

  /// Seconds of a pass in every round, per variant.
  private(set) var seconds: [String: [Double]] = [:]

  /// What a variant's passes of one round should fill on a device, in seconds.
  private static let stretch = 0.015

  /// Runs every variant `warmups` times, then all of them in turn for `rounds` rounds.
  init(
    _ variants: [Variant], on backend: any Backend, warmups: Int = 1, rounds: Int,
    progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) throws {
    let clock = QueueClock(backend)
    var passes: [Int] = []
    for variant in variants {
      for _ in 0..<warmups { try variant.body() }
      guard clock.isOnDevice else {
        passes.append(1)
        continue
      }
      try clock.mark()
      for _ in 0..<3 { try variant.body() }
      try clock.mark()
      let one = try clock.intervals()[0] / 3
      passes.append(max(1, min(50, Int(InterleavedTimer.stretch / max(one, 1e-6)))))
    }
    for round in 0..<rounds {
      for (variant, count) in zip(variants, passes) {
        if clock.isOnDevice { try variant.body() }
        try clock.mark()
        for _ in 0..<count { try variant.body() }
        try clock.mark()
      }
      // Between a variant's two marks lie its passes, between variants the pass that warms up.
      for (index, interval) in try clock.intervals().enumerated() where index % 2 == 0 {
        let variant = variants[index / 2].name
        seconds[variant, default: []].append(interval / Double(passes[index / 2]))
      }
      progress(round + 1, rounds)
    }
  }

  /// The median time of a variant, in seconds.
  func median(_ name: String) -> Double {
    (seconds[name] ?? []).median
  }

  /// The fastest time of a variant, in seconds.
  func fastest(_ name: String) -> Double { seconds[name]?.min() ?? .nan }

  /// The median over rounds of (time of `base` / time of `name`): how many times faster `name` is.
  func ratio(of name: String, to base: String) -> Double {
    guard let own = seconds[name], let other = seconds[base] else { return .nan }
    return zip(other, own).map { $0 / $1 }.median
  }

  /// Seconds of the monotonic clock.
  static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
