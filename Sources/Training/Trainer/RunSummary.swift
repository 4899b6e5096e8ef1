import FeedForward

/// What a run ends with.
public struct RunSummary: Sendable, Equatable {
  /// How a run ended.
  public enum Ending: Sendable, Equatable {
    /// All steps were done.
    case finished
    /// A signal asked to stop; a checkpoint was written.
    case stopped(signal: Int32)
    /// Too many steps in a row were skipped; the sentence says why.
    case failed(String)
  }

  /// Speed of the steps of one mode.
  public struct Speed: Sendable, Equatable {
    /// Median tokens per second of whole steps.
    public var tokensPerSecond: Double
    /// Median seconds per token in feed-forward networks; nil where it was not measured.
    public var feedForwardSecondsPerToken: Double?
    /// Steps it is the median of.
    public var steps: Int
  }

  /// How it ended.
  public var ending: Ending
  /// Steps done.
  public var step: Int
  /// Tokens trained on.
  public var tokens: Int
  /// Speed of dense steps of this session.
  public var dense: Speed?
  /// Speed of sparse steps of this session.
  public var sparse: Speed?
  /// The last dense evaluation.
  public var evaluation: Evaluator.Result?
  /// A text sample.
  public var sample: String?
  /// The prompt it continues.
  public var prompt: String
  /// The run folder.
  public var folder: String
  /// Steps that were skipped.
  public var skipped: Int

  /// How many times faster feed-forward networks are in sparse steps.
  public var feedForwardSpeedUp: Double? {
    guard let slow = dense?.feedForwardSecondsPerToken,
      let fast = sparse?.feedForwardSecondsPerToken, fast > 0
    else { return nil }
    return slow / fast
  }

  /// The summary for a person.
  public var text: String {
    var lines: [String] = []
    func add(_ name: String, _ value: String) {
      lines.append(name + String(repeating: " ", count: max(1, 26 - name.count)) + value)
    }
    switch ending {
    case .finished: add("run", "finished, \(step) steps, \(tokens) tokens")
    case .stopped(let signal):
      add("run", "stopped by \(StopSignals.name(signal)) after \(step) steps; checkpoint written")
    case .failed(let sentence): add("run", "ended after \(step) steps: \(sentence)")
    }
    if skipped > 0 { add("skipped steps", "\(skipped)") }
    if let dense { add("dense tokens/s", ProgressLine.decimals(dense.tokensPerSecond, 0)) }
    if let sparse { add("sparse tokens/s", ProgressLine.decimals(sparse.tokensPerSecond, 0)) }
    if let dense, let sparse {
      add(
        "step speed-up",
        ProgressLine.decimals(sparse.tokensPerSecond / dense.tokensPerSecond, 2) + "x")
    }
    if let ratio = feedForwardSpeedUp {
      add("feed-forward speed-up", ProgressLine.decimals(ratio, 2) + "x")
    }
    if let evaluation {
      var value = "loss \(ProgressLine.decimals(evaluation.loss, 4))"
      if let bits = evaluation.bitsPerByte {
        value += ", \(ProgressLine.decimals(bits, 4)) bits per byte"
      }
      add("held-out text, dense", value)
    }
    if let sample { add("sample", ""); lines.append("  " + prompt + sample) }
    add("run folder", folder)
    return lines.joined(separator: "\n")
  }
}
