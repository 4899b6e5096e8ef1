import Foundation
import Training

/// How far some work on bytes is: a live line on a terminal, a line now and then elsewhere.
final class WorkProgress {
  private let unit: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = InterleavedTimer.now()
  private var lastShown = -Double.infinity
  private var isLive = false

  /// Seconds between lines.
  private var interval: Double { isTerminal ? 0.1 : 10 }

  /// Progress from now on; the unit is what is counted beside bytes.
  init(unit: String) { self.unit = unit }

  /// Seconds since the beginning.
  var seconds: Double { InterleavedTimer.now() - start }

  func show(bytes: Int, of total: Int, count: Int) {
    let now = seconds
    // The first line elsewhere comes after one interval: short work says nothing.
    guard now - max(lastShown, isTerminal ? -1 : 0) >= interval else { return }
    lastShown = now
    let rate = Double(bytes) / max(now, 1e-9)
    let left = ProgressLine.duration(Double(total - bytes) / max(rate, 1))
    let share = total > 0 ? 100 * bytes / total : 100
    let text =
      "\(share)%  \(fixed(Double(bytes) / 1e6, 0)) of \(fixed(Double(total) / 1e6, 0)) MB"
      + "  \(fixed(rate / 1e6, 1)) MB/s  \(count) \(unit)  ETA \(left)"
    isLive = isTerminal
    write(isTerminal ? "\r\u{1B}[K" + text : text + "\n")
  }

  /// Takes the live line away.
  func clear() {
    if isLive { write("\r\u{1B}[K") }
    isLive = false
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
