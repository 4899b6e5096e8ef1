import FeedForward
import Foundation

/// Runs of one recipe that differ in their seeds: what they end with on average.
public struct SeedGroup: Sendable, Equatable {
  /// Name of its first run, without a number at its end.
  public let name: String
  /// Which runs of the comparison they are, from 0.
  public let runs: [Int]
  /// Final losses, dense, in nats per token.
  public let losses: [Double]
  /// Seconds that each run spent in steps.
  public let seconds: [Double]

  /// A group of finished evaluations and times, in the same order.
  public init(name: String, runs: [Int], losses: [Double], seconds: [Double]) {
    precondition(
      !runs.isEmpty && losses.count == runs.count && seconds.count == runs.count,
      "a loss and a time for each run")
    self.name = name
    self.runs = runs
    self.losses = losses
    self.seconds = seconds
  }

  /// Mean final loss.
  public var meanLoss: Double { SeedGroup.mean(of: losses) }
  /// Mean time in steps, in seconds.
  public var meanSeconds: Double { SeedGroup.mean(of: seconds) }

  /// Standard error of the mean loss; nil for one run.
  public var standardError: Double? { SeedGroup.standardError(of: losses) }

  /// The mean of some numbers, of which there is one at least.
  static func mean(of numbers: [Double]) -> Double {
    numbers.reduce(0, +) / Double(numbers.count)
  }

  /// Standard error of the mean of some numbers; nil for fewer than two.
  static func standardError(of numbers: [Double]) -> Double? {
    guard numbers.count > 1 else { return nil }
    let mean = mean(of: numbers)
    let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(numbers.count - 1) / Double(numbers.count)).squareRoot()
  }

  /// Standard error of the difference of two mean losses; nil when either is of one run.
  public func standardError(against other: SeedGroup) -> Double? {
    guard let own = standardError, let others = other.standardError else { return nil }
    return (own * own + others * others).squareRoot()
  }

  /// Groups of runs with the same recipe, in the order of their first runs. Runs without an
  /// evaluation are left out.
  static func groups(
    _ entries: [RunComparison.Entry], _ configurations: [RunConfiguration]
  ) -> [SeedGroup] {
    guard entries.count == configurations.count else { return [] }
    var recipes: [[String]] = []
    var members: [[Int]] = []
    for (index, configuration) in configurations.enumerated() where entries[index].final != nil {
      let recipe = recipe(configuration)
      if let group = recipes.firstIndex(of: recipe) {
        members[group].append(index)
      } else {
        recipes.append(recipe)
        members.append([index])
      }
    }
    return members.map { runs in
      SeedGroup(
        name: recipeName(entries[runs[0]].curves.name), runs: runs,
        losses: runs.compactMap { entries[$0].final?.loss },
        seconds: runs.map { entries[$0].curves.steps.last?.seconds ?? 0 })
    }
  }

  /// Everything that decides what a run computes, but its seed. A dense run's sparse settings say
  /// nothing.
  private static func recipe(_ configuration: RunConfiguration) -> [String] {
    let isDense = configuration.feedForward.mode == .dense
    let sparse: Set<String> = [
      "schedule.denseWarmup", "schedule.sparseFraction", "schedule.sparseWeightsFraction",
    ]
    return RunConfiguration.keys.filter { key in
      if key.section == "run" { return key.name == "evaluateSequences" }
      guard isDense else { return true }
      return key.path == "feedForward.mode"
        || key.section != "feedForward" && !sparse.contains(key.path)
    }.map { $0.get(configuration).toml }
  }

  private static func recipeName(_ run: String) -> String {
    let stem = run.reversed().drop { $0.isNumber }.drop { "-_. ".contains($0) }
    return stem.isEmpty ? run : String(stem.reversed())
  }
}
