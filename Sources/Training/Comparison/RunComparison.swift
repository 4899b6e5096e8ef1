import FeedForward
import Foundation

/// Several runs beside the first of them, the reference.
public struct RunComparison: Sendable {
  /// One run of the comparison.
  public struct Entry: Sendable {
    /// Its course.
    public let curves: RunCurves
    /// Settings in which it differs from the reference: `section.name`, the reference's value, its
    /// own.
    public let differences: [(key: String, reference: String, own: String)]
    /// Its seed; nil without a configuration. Runs of one seed see the same text in the same step.
    public let seed: Int?
    /// The last dense evaluation; nil before the first.
    public let final: RunCurves.Evaluation?
    /// Tokens and seconds until the reference's final loss was reached; nil if never.
    public let reached: (tokens: Double, seconds: Double)?
  }

  /// The runs, the reference first.
  public let entries: [Entry]
  /// Reasons why losses or times may not be comparable, as sentences.
  public let warnings: [String]
  /// Runs with the same recipe, whatever their seeds; empty without configurations.
  public let groups: [SeedGroup]

  /// The steps over which training losses are compared; nil for those that `trainingDistance` names.
  public let trainingSteps: ClosedRange<Int>?

  /// The reference's final loss.
  public var target: Double? { entries.first?.final?.loss }

  /// Compares curves that were read already; `configurations` may be empty.
  public init(
    _ curves: [RunCurves], configurations: [RunConfiguration] = [],
    trainingSteps: ClosedRange<Int>? = nil
  ) {
    precondition(!curves.isEmpty, "nothing to compare")
    self.trainingSteps = trainingSteps
    let target = curves[0].evaluations.last?.loss
    entries = curves.enumerated().map { index, run in
      Entry(
        curves: run,
        differences: configurations.count == curves.count
          ? RunComparison.differences(configurations[0], configurations[index]) : [],
        seed: configurations.count == curves.count ? configurations[index].run.seed : nil,
        final: run.evaluations.last, reached: target.flatMap { run.reached($0) })
    }
    warnings = RunComparison.warnings(entries)
    groups = SeedGroup.groups(entries, configurations)
  }

  /// Reads run folders.
  ///
  /// - Throws: a sentence naming a folder that is not a run.
  public init(folders: [String], trainingSteps: ClosedRange<Int>? = nil) throws {
    let names = RunComparison.names(folders)
    var curves: [RunCurves] = []
    var configurations: [RunConfiguration] = []
    for (path, name) in zip(folders, names) {
      let folder = RunFolder(path)
      configurations.append(try folder.configuration())
      curves.append(try RunCurves(folder, name: name))
    }
    self.init(curves, configurations: configurations, trainingSteps: trainingSteps)
  }

  /// How many times sooner a run reached the reference's final loss than the reference did.
  public func timesSooner(_ entry: Entry) -> Double? {
    guard let own = entry.reached?.seconds, let base = entries[0].final?.seconds, own > 0 else {
      return nil
    }
    return base / own
  }

  /// The last parts of the paths; as much more of them as it takes to tell them apart.
  static func names(_ paths: [String]) -> [String] {
    let parts = paths.map { $0.split(separator: "/").map(String.init) }
    return parts.map { own in
      for count in 1...max(1, own.count) {
        let name = own.suffix(count)
        if parts.count(where: { $0.suffix(count) == name }) == 1 {
          return name.joined(separator: "/")
        }
      }
      return own.joined(separator: "/")
    }
  }

  private static func differences(
    _ reference: RunConfiguration, _ own: RunConfiguration
  ) -> [(key: String, reference: String, own: String)] {
    RunConfiguration.keys.compactMap { key in
      let first = key.get(reference).toml
      let second = key.get(own).toml
      let isName = key.path == "run.name" || key.path == "run.folder"
      return first == second || isName ? nil : (key.path, first, second)
    }
  }

  /// Settings under which losses of two runs are numbers of different things.
  private static let lossKeys = [
    "data.tokenizer", "data.validation", "data.train", "data.sequence", "run.evaluateSequences",
  ]

  private static func warnings(_ entries: [Entry]) -> [String] {
    var found: [String] = []
    for entry in entries {
      let name = entry.curves.name
      for difference in entry.differences where lossKeys.contains(difference.key) {
        found.append(
          "\(name) has \(difference.key) = \(difference.own), the reference "
            + "\(difference.reference): held-out losses may not be comparable")
      }
      if let last = entry.curves.steps.last, let final = entry.final, last.step != final.step {
        found.append(
          "\(name) was last evaluated after step \(final.step), but has done \(last.step): it has "
            + "not finished, or ended early")
      }
      if entry.final == nil { found.append("\(name) has no dense evaluation yet") }
      if let note = speedNote(entry, reference: entries[0].curves) { found.append(note) }
    }
    return found
  }

  /// Steps that differ by more than this share ran on machines of different speed.
  private static let speedTolerance = 0.02
  /// The fewest steps that say something of the machine.
  private static let fewestSharedSteps = 10

  /// A sentence where the same dense step took another time in a run than in the reference: cards of one
  /// kind differ by a few percent, and all comparisons of time have that in them.
  ///
  /// Steps of the same number are compared, since a card slows down as it warms; not the first, which
  /// compiles kernels, and none that one run copied from the other.
  private static func speedNote(_ entry: Entry, reference: RunCurves) -> String? {
    // Settings that change what a dense step does.
    let isTheSameStep = !entry.differences.contains { difference in
      ["model.", "data.", "device."].contains { difference.key.hasPrefix($0) }
    }
    guard isTheSameStep else { return nil }
    let run = entry.curves
    let others = Dictionary(
      reference.steps.filter { $0.mode == .dense }.map { ($0.step, $0.tokensPerSecond) },
      uniquingKeysWith: { $1 })
    let ratios = run.steps.filter { $0.mode == .dense && $0.step > 1 }.compactMap { step in
      others[step.step].flatMap { other in
        other > 0 && step.tokensPerSecond > 0 && other != step.tokensPerSecond
          ? other / step.tokensPerSecond : nil
      }
    }
    guard ratios.count >= fewestSharedSteps else { return nil }
    let slower = SpeedMeter.median(ratios) - 1
    guard abs(slower) > speedTolerance else { return nil }
    return
      "\(run.name)'s dense steps took \(ProgressLine.decimals(100 * abs(slower), 1)) % "
      + "\(slower > 0 ? "longer" : "less") than the reference's of the same number: another card, or one "
      + "that was busy, or warmer or cooler; times of the two differ by that beside what the recipes do"
  }
}
