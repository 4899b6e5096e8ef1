import Glibc

/// Times several variants of the same work side by side: warmed up, interleaved, medians.
///
/// Interleaving makes a slow minute of the machine hit every variant alike, so that ratios hold
/// even where absolute times do not.
struct InterleavedTimer {
  /// One way to do the work.
  struct Variant {
    let name: String
    let body: () throws -> Void
  }

  /// Seconds of every round, per variant.
  private(set) var seconds: [String: [Double]] = [:]

  /// Runs every variant `warmups` times, then all of them in turn for `rounds` rounds.
  init(
    _ variants: [Variant], warmups: Int = 1, rounds: Int,
    progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) throws {
    for variant in variants {
      for _ in 0..<warmups { try variant.body() }
    }
    for round in 0..<rounds {
      for variant in variants {
        let start = InterleavedTimer.now()
        try variant.body()
        seconds[variant.name, default: []].append(InterleavedTimer.now() - start)
      }
      progress(round + 1, rounds)
    }
  }

  /// The median time of a variant, in seconds.
  func median(_ name: String) -> Double {
    let sorted = (seconds[name] ?? []).sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The fastest time of a variant, in seconds.
  func fastest(_ name: String) -> Double { seconds[name]?.min() ?? .nan }

  /// The median over rounds of (time of `base` / time of `name`): how many times faster `name` is.
  func ratio(of name: String, to base: String) -> Double {
    guard let own = seconds[name], let other = seconds[base] else { return .nan }
    let ratios = zip(other, own).map { $0 / $1 }.sorted()
    guard !ratios.isEmpty else { return .nan }
    let middle = ratios.count / 2
    return ratios.count % 2 == 1 ? ratios[middle] : (ratios[middle - 1] + ratios[middle]) / 2
  }

  /// Seconds of the monotonic clock.
  static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
