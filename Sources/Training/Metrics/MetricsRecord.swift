import FeedForward

/// What happened in one step.
public struct StepRecord: Sendable, Equatable {
  /// Index of the step, from 1: the number of steps done after it.
  public var step: Int
  /// Mean training loss in nats; flatters in sparse steps.
  public var loss: Double
  /// Global gradient norm before clipping.
  public var norm: Double
  /// Learning rate.
  public var rate: Double
  /// Tokens trained on so far.
  public var tokens: Int
  /// Seconds spent in steps so far.
  public var seconds: Double
  /// Tokens per second of this step.
  public var tokensPerSecond: Double
  /// How feed-forward networks computed.
  public var mode: FeedForwardMode
  /// Why the update was not applied, if so.
  public var skipped: String?
}

/// What a dense evaluation found.
public struct EvaluationRecord: Sendable, Equatable {
  /// Steps done.
  public var step: Int
  /// Tokens trained on so far.
  public var tokens: Int
  /// Seconds spent in steps so far.
  public var seconds: Double
  /// The result.
  public var result: Evaluator.Result
}
