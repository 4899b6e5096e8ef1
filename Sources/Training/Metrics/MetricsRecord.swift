import FeedForward
import Interchange

/// What happened in one step.
public struct StepRecord: Sendable, Equatable {
  /// Index of the step, from 1: the number of steps done after it.
  public var step: Int
  /// Mean training loss in nats; flatters in sparse steps.
  public var loss: Double
  /// Global gradient norm before clipping.
  public var norm: Double
  /// How many deviations loss and norm lie above the mean of the last steps, whichever is more;
  /// nil while there are too few of them.
  public var spikeScore: Double?
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

  package init(
    step: Int, loss: Double, norm: Double, spikeScore: Double?, rate: Double, tokens: Int,
    seconds: Double, tokensPerSecond: Double, mode: FeedForwardMode, skipped: String?
  ) {
    self.step = step
    self.loss = loss
    self.norm = norm
    self.spikeScore = spikeScore
    self.rate = rate
    self.tokens = tokens
    self.seconds = seconds
    self.tokensPerSecond = tokensPerSecond
    self.mode = mode
    self.skipped = skipped
  }

  /// One line of `metrics.jsonl`.
  var json: String {
    var line = JSONLine(kind: "step", step: step)
    line.add("loss", loss)
    line.add("norm", norm)
    if let spikeScore { line.add("spikeScore", spikeScore) }
    line.add("rate", rate)
    line.add("tokens", tokens)
    line.add("seconds", seconds)
    line.add("tokensPerSecond", tokensPerSecond)
    line.add("mode", mode.rawValue)
    line.add("skipped", skipped != nil)
    if let skipped { line.add("reason", skipped) }
    return line.text
  }
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

  /// One line of `metrics.jsonl`.
  var json: String {
    var line = JSONLine(kind: "evaluation", step: step)
    line.add("tokens", tokens)
    line.add("seconds", seconds)
    line.add("loss", result.loss)
    line.add("perplexity", result.perplexity)
    if let bits = result.bitsPerByte { line.add("bitsPerByte", bits) }
    line.add("evaluatedTokens", result.tokens)
    line.add("evaluatedBytes", result.bytes)
    return line.text
  }
}

/// The sparsity of one layer in one step.
struct LayerRecord {
  var step: Int
  var layer: Int
  var statistics: LayerSparsity
  var clusterSizes: [Int]?

  /// One line of `metrics.jsonl`.
  var json: String {
    var line = JSONLine(kind: "layer", step: step)
    line.add("layer", layer)
    line.add("energyKept", statistics.energyKept)
    line.add("nonzeroShare", statistics.nonzeroShare)
    line.add("density", statistics.density)
    line.add("deadNeurons", statistics.deadNeurons)
    line.add("listChange", statistics.listChange)
    line.add("listUnion", statistics.listUnion)
    if let clusterSizes { line.add("clusterSizes", clusterSizes) }
    return line.text
  }
}

/// A JSON object on one line, members in the order they are added.
private struct JSONLine {
  private var members: String

  init(kind: String, step: Int) { members = "\"kind\":\"\(kind)\",\"step\":\(step)" }

  var text: String { "{" + members + "}" }

  mutating func add(_ name: String, _ value: Int) { put(name, "\(value)") }
  mutating func add(_ name: String, _ value: Bool) { put(name, "\(value)") }
  mutating func add(_ name: String, _ value: [Int]) { put(name, "\(value)") }

  /// JSON knows no NaN and no infinity: those become strings.
  mutating func add(_ name: String, _ value: Double) {
    put(name, value.isFinite ? "\(value)" : "\"\(ProgressLine.plain(value))\"")
  }

  mutating func add(_ name: String, _ value: String) {
    put(name, QuotedText.of(value))
  }

  private mutating func put(_ name: String, _ json: String) { members += ",\"\(name)\":\(json)" }
}
