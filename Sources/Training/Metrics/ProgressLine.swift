import FeedForward
import Glibc

/// Shows how a run goes: one live line on a terminal, plain lines elsewhere.
public final class ProgressLine {
  private let isTerminal: Bool
  private let interval: Int
  private let steps: Int
  private let phases: SparsityPhases
  private let write: (String) -> Void
  private var isLive = false
  /// Smoothed seconds of a step, per kind of step, for the time that is left.
  private var denseSeconds: Double?
  private var sparseSeconds: Double?

  /// A line on standard error.
  ///
  /// - Parameters:
  ///   - steps: steps of the run.
  ///   - phases: which of them are sparse, for the time that is left.
  ///   - interval: steps between lines when not on a terminal.
  ///   - terminal: whether to show a live line; nil asks the system.
  ///   - write: takes what is shown; nil writes to standard error.
  public init(
    steps: Int, phases: SparsityPhases, interval: Int, terminal: Bool? = nil,
    write: ((String) -> Void)? = nil
  ) {
    self.steps = steps
    self.phases = phases
    self.interval = interval
    isTerminal = terminal ?? (isatty(STDERR_FILENO) == 1)
    self.write =
      write ?? { text in
        let bytes = Array(text.utf8)
        // Nothing can be done about a closed terminal.
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
      }
  }

  /// Shows a step.
  public func show(_ record: StepRecord, stepSeconds: Double) {
    learn(stepSeconds, isDense: record.mode == .dense)
    let text = line(record)
    if isTerminal {
      let width = ProgressLine.columns
      let bar = self.bar(done: record.step, width: max(0, width - text.count - 3))
      write("\r\u{1B}[K" + String((bar + text).prefix(width - 1)))
      isLive = true
    } else if record.step % interval == 0 || record.step == steps || record.step == 1 {
      write(text + "\n")
    }
  }

  /// Prints a line of its own, above the live one.
  public func say(_ text: String) {
    if isLive { write("\r\u{1B}[K") }
    isLive = false
    write(text + "\n")
  }

  /// Seconds that are left after `done` steps, as far as known.
  public func secondsLeft(after done: Int) -> Double? {
    let sparse = phases.sparseSteps(from: done)
    let dense = steps - done - sparse
    // Until a kind was seen, the other kind's time stands for it.
    guard let any = denseSeconds ?? sparseSeconds else { return nil }
    return Double(dense) * (denseSeconds ?? any) + Double(sparse) * (sparseSeconds ?? any)
  }

  private func learn(_ seconds: Double, isDense: Bool) {
    func smooth(_ old: Double?) -> Double { old.map { 0.9 * $0 + 0.1 * seconds } ?? seconds }
    if isDense {
      denseSeconds = smooth(denseSeconds)
    } else {
      sparseSeconds = smooth(sparseSeconds)
    }
  }

  private func line(_ record: StepRecord) -> String {
    let left = secondsLeft(after: record.step).map(ProgressLine.duration) ?? "?"
    let skipped = record.skipped.map { "  skipped: \($0)" } ?? ""
    return "step \(record.step)/\(steps)  loss \(ProgressLine.decimals(record.loss, 3))  "
      + "\(Int(record.tokensPerSecond.rounded())) tokens/s  \(record.mode.rawValue)  "
      + "ETA \(left)\(skipped)"
  }

  private func bar(done: Int, width: Int) -> String {
    let cells = min(30, width)
    guard cells >= 8 else { return "" }
    let filled = done * cells / max(steps, 1)
    return "[" + String(repeating: "=", count: filled)
      + String(repeating: " ", count: cells - filled) + "] "
  }

  private static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// A time for people: `42 s`, `3 min 07 s`, `2 h 05 min`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
    return "\(whole / 3600) h \(two(whole % 3600 / 60)) min"
  }

  /// A number with fixed decimals.
  public static func decimals(_ value: Double, _ count: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<count { scale *= 10 }
    let scaled = Int((abs(value) * scale).rounded())
    let digits = String(scaled)
    let padded = String(repeating: "0", count: max(0, count + 1 - digits.count)) + digits
    let sign = value < 0 && scaled > 0 ? "-" : ""
    return count == 0 ? sign + padded : sign + padded.dropLast(count) + "." + padded.suffix(count)
  }
}
