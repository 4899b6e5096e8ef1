/// Tells how unusual a number is among the last ones: its z-score.
///
/// Non-finite numbers are never taken in, so one of them cannot spoil the statistics for good.
public struct SpikeDetector: Sendable, Equatable, Codable {
  fileprivate let window: Int
  private var values: [Double] = []
  private var next = 0

  /// A detector over a number of values.
  public init(window: Int) { self.window = max(2, window) }

  /// How many standard deviations a value lies above the mean of the last values; nil until half
  /// the window is filled, or for a non-finite value.
  public func score(_ value: Double) -> Double? {
    guard value.isFinite, values.count >= max(2, window / 2) else { return nil }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance =
      values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    guard variance > 0 else { return value == mean ? 0 : .infinity }
    return (value - mean) / variance.squareRoot()
  }

  /// Remembers a value.
  public mutating func add(_ value: Double) {
    guard value.isFinite else { return }
    if values.count < window {
      values.append(value)
    } else {
      values[next] = value
      next = (next + 1) % window
    }
  }
}

/// What is done with the gradients of a step.
public enum StepVerdict: Sendable, Equatable {
  /// They are applied.
  case apply
  /// They are thrown away; the sentence says why.
  case skip(String)
}

/// Decides before the optimizer whether a step may be applied, and counts.
public struct StepJudge: Sendable, Equatable, Codable {
  /// Steps skipped so far.
  public private(set) var skipped = 0
  /// Steps skipped since the last one that was applied.
  public private(set) var skippedInRow = 0
  private var losses: SpikeDetector
  private var norms: SpikeDetector
  private var threshold: Double

  /// A judge with the settings of a configuration.
  public init(_ configuration: OptimizerConfiguration) {
    losses = SpikeDetector(window: configuration.spikeWindow)
    norms = SpikeDetector(window: configuration.spikeWindow)
    threshold = configuration.spikeThreshold
  }

  /// Takes the settings of a configuration over; what was counted stays.
  ///
  /// A run that is resumed with another threshold means it; another window begins anew.
  public mutating func adopt(_ configuration: OptimizerConfiguration) {
    let fresh = StepJudge(configuration)
    threshold = fresh.threshold
    if fresh.losses.window != losses.window {
      losses = fresh.losses
      norms = fresh.norms
    }
  }

  /// Judges a step and remembers it.
  public mutating func judge(
    loss: Double, norm: Double
  ) -> (verdict: StepVerdict, lossScore: Double?, normScore: Double?) {
    let lossScore = losses.score(loss)
    let normScore = norms.score(norm)
    let verdict: StepVerdict
    if !loss.isFinite {
      verdict = .skip("the loss is \(ProgressLine.plain(loss))")
    } else if !norm.isFinite {
      verdict = .skip("the gradient norm is \(norm)")
    } else if threshold > 0, let score = lossScore, score > threshold {
      verdict = .skip("the loss is \(StepJudge.text(score)) deviations above its mean")
    } else if threshold > 0, let score = normScore, score > threshold {
      verdict = .skip("the gradient norm is \(StepJudge.text(score)) deviations above its mean")
    } else {
      verdict = .apply
    }
    losses.add(loss)
    norms.add(norm)
    if verdict == .apply {
      skippedInRow = 0
    } else {
      skipped += 1
      skippedInRow += 1
    }
    return (verdict, lossScore, normScore)
  }

  private static func text(_ score: Double) -> String { ProgressLine.decimals(score, 1) }
}
