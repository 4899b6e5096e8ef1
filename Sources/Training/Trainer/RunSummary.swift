import FeedForward

/// What a run ends with.
public struct RunSummary: Sendable, Equatable {
  /// How a run ended.
  public enum Ending: Sendable, Equatable {
    /// All steps were done.
    case finished
    /// A signal asked to stop.
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

  /// An evaluation and when it was.
  public struct Evaluation: Sendable, Equatable {
    /// Steps done.
    public var step: Int
    /// What was found.
    public var result: Evaluator.Result
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
  /// The most memory that was held; nil where the backend does not count.
  public var memory: PeakMemory?
  /// The last dense evaluation.
  public var evaluation: Evaluation?
  /// A text sample.
  public var sample: String?
  /// The prompt it continues.
  public var prompt: String
  /// The run folder.
  public var folder: String
  /// Steps that were skipped.
  public var skipped: Int
  /// The step of the newest checkpoint; nil when there is none.
  public var savedStep: Int?
  /// Why the last state is in no checkpoint, if so.
  public var unsaved: String?
  /// Why metrics are not complete on disk, if so.
  public var metricsProblem: String?

  /// Whether all that the run did is on disk.
  public var isSaved: Bool { unsaved == nil && metricsProblem == nil }

  /// How many times faster feed-forward networks are in sparse steps.
  public var feedForwardSpeedUp: Double? {
    guard let slow = dense?.feedForwardSecondsPerToken,
      let fast = sparse?.feedForwardSecondsPerToken, fast > 0
    else { return nil }
    return slow / fast
  }
}
