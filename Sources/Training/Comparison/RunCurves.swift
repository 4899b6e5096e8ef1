import FeedForward
import Foundation

/// What the metrics of a run tell about its course.
public struct RunCurves: Sendable, Equatable {
  /// A training step.
  public struct Step: Sendable, Equatable {
    /// Steps done after it.
    public var step: Int
    /// Tokens trained on so far.
    public var tokens: Int
    /// Seconds spent in steps so far.
    public var seconds: Double
    /// Mean training loss in nats; nil when it was not finite.
    public var loss: Double?
    /// Tokens per second of this step.
    public var tokensPerSecond: Double
    /// How feed-forward networks computed.
    public var mode: FeedForwardMode
    /// The learning rate; nil when it was not finite.
    public var rate: Double?

    /// See the properties.
    public init(
      step: Int, tokens: Int, seconds: Double, loss: Double?, tokensPerSecond: Double,
      mode: FeedForwardMode, rate: Double? = nil
    ) {
      self.rate = rate
      self.step = step
      self.tokens = tokens
      self.seconds = seconds
      self.loss = loss
      self.tokensPerSecond = tokensPerSecond
      self.mode = mode
    }
  }

  /// A dense evaluation on held-out text.
  public struct Evaluation: Sendable, Equatable {
    /// Steps done.
    public var step: Int
    /// Tokens trained on so far.
    public var tokens: Int
    /// Seconds spent in steps so far.
    public var seconds: Double
    /// Loss in nats per token.
    public var loss: Double
    /// Bits per byte of text, where the tokenizer is known.
    public var bitsPerByte: Double?

    /// See the properties.
    public init(step: Int, tokens: Int, seconds: Double, loss: Double, bitsPerByte: Double?) {
      self.step = step
      self.tokens = tokens
      self.seconds = seconds
      self.loss = loss
      self.bitsPerByte = bitsPerByte
    }
  }

  /// Energy that the masks of all layers kept, averaged, after a step.
  public struct Energy: Sendable, Equatable {
    /// Steps done.
    public var step: Int
    /// Tokens trained on so far.
    public var tokens: Int
    /// Mean over layers of Σ (A ⊙ mask)² / Σ A².
    public var kept: Double
  }

  /// What the run is called in tables and plots.
  public var name: String
  /// Training steps, rising.
  public var steps: [Step] = []
  /// Evaluations, rising.
  public var evaluations: [Evaluation] = []
  /// Measurements of sparsity in sparse steps, rising.
  public var energies: [Energy] = []

  /// A run without metrics.
  public init(name: String) { self.name = name }

  /// Reads the metrics of a run folder.
  ///
  /// - Throws: `TrainingError` that names the file when there is nothing to compare.
  public init(_ folder: RunFolder, name: String) throws {
    let path = folder.metricsPath
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TrainingError(
        "'\(path)' is missing: '\(folder.path)' is not a run, or it has not begun; give the "
          + "folder of a run, for example runs/tiny")
    }
    self.init(name: name)
    for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
      let isLast = index > 0 && line.endIndex == data.endIndex
      do {
        try add(try JSONDecoder().decode(Line.self, from: Data(line)))
      } catch {
        // A run that is still going on may be in the middle of its last line.
        if isLast { break }
        throw TrainingError("'\(path)', line \(index + 1), is not a metrics record")
      }
    }
    guard !steps.isEmpty else { throw TrainingError("'\(path)' holds no steps yet") }
  }

  /// Stretches of steps in one mode, in tokens.
  public var phases: [(mode: FeedForwardMode, tokens: Range<Int>)] {
    var result: [(mode: FeedForwardMode, tokens: Range<Int>)] = []
    var before = 0
    for step in steps {
      if let last = result.last, last.mode == step.mode {
        result[result.count - 1].tokens = last.tokens.lowerBound..<step.tokens
      } else {
        result.append((step.mode, before..<step.tokens))
      }
      before = step.tokens
    }
    return result
  }

  /// Median tokens per second of dense or of sparse steps; nil without such steps.
  public func medianSpeed(sparse: Bool) -> Double? {
    let speeds = steps.filter { ($0.mode != .dense) == sparse }.map(\.tokensPerSecond).sorted()
    return speeds.isEmpty ? nil : speeds[speeds.count / 2]
  }

  /// The highest learning rate of any step; 0 where none is known.
  var highestRate: Double { steps.compactMap(\.rate).max() ?? 0 }

  /// Share of steps that were sparse.
  public var sparseShare: Double {
    guard !steps.isEmpty else { return 0 }
    return Double(steps.count { $0.mode != .dense }) / Double(steps.count)
  }

  /// When a dense evaluation first reached a loss, interpolated between evaluations; nil if never.
  public func reached(_ loss: Double) -> (tokens: Double, seconds: Double)? {
    guard let index = evaluations.firstIndex(where: { $0.loss <= loss }) else { return nil }
    let hit = evaluations[index]
    guard index > 0 else { return (Double(hit.tokens), hit.seconds) }
    let before = evaluations[index - 1]
    let share = (before.loss - loss) / (before.loss - hit.loss)
    return (
      Double(before.tokens) + share * Double(hit.tokens - before.tokens),
      before.seconds + share * (hit.seconds - before.seconds)
    )
  }

  // MARK: Reading

  private mutating func add(_ line: Line) throws {
    switch line.kind {
    case "step":
      guard let tokens = line.tokens, let seconds = line.seconds, let mode = line.mode else {
        throw Line.Incomplete()
      }
      steps.append(
        Step(
          step: line.step, tokens: tokens, seconds: seconds, loss: line.loss?.value,
          tokensPerSecond: line.tokensPerSecond ?? 0, mode: mode, rate: line.rate?.value))
    case "evaluation":
      guard let tokens = line.tokens, let seconds = line.seconds, let loss = line.loss else {
        throw Line.Incomplete()
      }
      guard let finite = loss.value else { return }
      evaluations.append(
        Evaluation(
          step: line.step, tokens: tokens, seconds: seconds, loss: finite,
          bitsPerByte: line.bitsPerByte?.value))
    case "layer":
      // Layers of one measurement follow each other; their mean is kept. Dense steps keep all.
      guard let kept = line.energyKept?.value, let last = steps.last, last.mode != .dense else {
        return
      }
      if let energy = energies.last, energy.step == line.step {
        let count = Double(line.layer ?? 0)
        energies[energies.count - 1].kept = (energy.kept * count + kept) / (count + 1)
      } else {
        energies.append(Energy(step: line.step, tokens: last.tokens, kept: kept))
      }
    default:
      return  // Kinds that a later version writes.
    }
  }
}

/// One line of `metrics.jsonl`.
private struct Line: Decodable {
  struct Incomplete: Error {}

  /// A number; non-finite ones are written as strings and read as nil.
  struct Number: Decodable {
    let value: Double?

    init(from decoder: any Decoder) throws {
      value = try? decoder.singleValueContainer().decode(Double.self)
    }
  }

  let kind: String
  let step: Int
  let tokens: Int?
  let seconds: Double?
  let loss: Number?
  let tokensPerSecond: Double?
  let mode: FeedForwardMode?
  let rate: Number?
  let bitsPerByte: Number?
  let layer: Int?
  let energyKept: Number?
}
