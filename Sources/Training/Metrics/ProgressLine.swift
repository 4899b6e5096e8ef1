import FeedForward
import Glibc

/// Shows how a run goes: one live line on a terminal, plain lines elsewhere.
public final class ProgressLine {
  private let isTerminal: Bool
  private let interval: Int
  private let steps: Int
  private let width: () -> Int
  private let write: (String) -> Void
  private var time: TimeLeft
  private var lastShown = -Double.infinity
  private var live: String?

  /// Seconds between two pictures of the live line: more would only flicker.
  private static let pause = 0.1

  /// A line on standard error.
  ///
  /// - Parameters:
  ///   - steps: steps of the run.
  ///   - phases: which of them are sparse, for the time that is left.
  ///   - interval: steps between lines when not on a terminal.
  ///   - terminal: whether to show a live line; nil asks the system.
  ///   - width: columns of the terminal; nil asks the system each time.
  ///   - write: takes what is shown; nil writes to standard error.
  public init(
    steps: Int, phases: SparsityPhases, interval: Int, terminal: Bool? = nil,
    width: (() -> Int)? = nil, write: ((String) -> Void)? = nil
  ) {
    self.steps = steps
    self.interval = interval
    time = TimeLeft(steps: steps, phases: phases)
    isTerminal = terminal ?? (isatty(STDERR_FILENO) == 1)
    self.width = width ?? { ProgressLine.columns }
    self.write =
      write ?? { text in
        let bytes = Array(text.utf8)
        // Nothing can be done about a closed terminal.
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
      }
  }

  /// Shows a step.
  public func show(_ record: StepRecord, stepSeconds: Double) {
    time.learn(stepSeconds, isDense: record.mode == .dense)
    if let reason = record.skipped {
      say("step \(record.step) is skipped: \(reason)")
    }
    if isTerminal {
      let now = ProgressLine.clock()
      guard now - lastShown >= ProgressLine.pause || record.step == steps else { return }
      lastShown = now
      draw(fit(record, to: width() - 1))
    } else if record.step % interval == 0 || record.step == steps || record.step == 1 {
      write(pieces(record).joined(separator: "  ") + "\n")
    }
  }

  /// Prints a line of its own, above the live one.
  public func say(_ text: String) {
    guard let live else { return write(text + "\n") }
    write("\r\u{1B}[K" + text + "\n" + live)
  }

  /// Ends the live line: what is printed next begins on a new one.
  public func end() {
    if live != nil { write("\n") }
    live = nil
  }

  /// Seconds that are left after `done` steps, as far as known.
  public func secondsLeft(after done: Int) -> Double? { time.seconds(after: done) }

  /// Draws over the last picture in one write, then clears what it left over: nothing flickers.
  private func draw(_ text: String) {
    write("\r" + text + "\u{1B}[K")
    live = text
  }

  private func pieces(_ record: StepRecord) -> [String] {
    let left = time.seconds(after: record.step).map(ProgressLine.duration) ?? "?"
    return [
      "step \(record.step)/\(steps)", "loss \(ProgressLine.decimals(record.loss, 3))",
      "\(ProgressLine.grouped(Int(record.tokensPerSecond.rounded()))) tokens/s",
      record.mode.rawValue, "ETA \(left)",
    ]
  }

  /// A line that never wraps: first the bar gets shorter, then pieces go from the end.
  private func fit(_ record: StepRecord, to width: Int) -> String {
    var pieces = pieces(record)
    while pieces.count > 1 && pieces.joined(separator: "  ").count > width { pieces.removeLast() }
    let text = String(pieces.joined(separator: "  ").prefix(max(0, width)))
    return bar(done: record.step, width: width - text.count - 3) + text
  }

  private func bar(done: Int, width: Int) -> String {
    let cells = min(30, width)
    guard cells >= 8 else { return "" }
    let filled = min(cells, done * cells / max(steps, 1))
    return "[" + String(repeating: "=", count: filled)
      + String(repeating: " ", count: cells - filled) + "] "
  }

  private static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private static func clock() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
