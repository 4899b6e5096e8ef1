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
  /// Seeds of the runs: those of one seed begin with the same weights and see the same text.
  public let seeds: [Int]

  /// A group of finished evaluations, times and seeds, in the same order.
  public init(name: String, runs: [Int], losses: [Double], seconds: [Double], seeds: [Int]) {
    precondition(
      !runs.isEmpty && [losses.count, seconds.count, seeds.count].allSatisfy { $0 == runs.count },
      "a loss, a time and a seed for each run")
    self.name = name
    self.runs = runs
    self.losses = losses
    self.seconds = seconds
    self.seeds = seeds
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

  /// How far the losses are above those of other runs, and the standard error of that; no error where
  /// either has one run.
  ///
  /// Where every run has one of its seed among the others, and no two have the same seed, these are the mean
  /// of the pairs' differences and its error: most of what seeds do to a loss they do to both runs of a pair.
  /// Else they are of the difference of the means.
  public func difference(to other: SeedGroup) -> (loss: Double, standardError: Double?) {
    if let pairs = pairs(with: other) {
      return (SeedGroup.mean(of: pairs), SeedGroup.standardError(of: pairs))
    }
    var error: Double?
    if let own = standardError, let others = other.standardError {
      error = (own * own + others * others).squareRoot()
    }
    return (meanLoss - other.meanLoss, error)
  }

  /// Differences of the runs to the others' runs of the same seeds; nil where not every seed is in both once.
  private func pairs(with other: SeedGroup) -> [Double]? {
    SeedGroup.partners(of: seeds, among: other.seeds).map { partners in
      zip(losses, partners).map { loss, partner in loss - other.losses[partner] }
    }
  }

  /// For each of some seeds its place among others; nil where one is missing, not known, or there twice on
  /// either side.
  static func partners(of seeds: [Int?], among others: [Int?]) -> [Int]? {
    guard Set(seeds).count == seeds.count, Set(others).count == others.count else { return nil }
    let places = seeds.compactMap { seed in seed.flatMap { others.firstIndex(of: $0) } }
    return places.count == seeds.count ? places : nil
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
        seconds: runs.map { entries[$0].curves.steps.last?.seconds ?? 0 },
        seeds: runs.map { configurations[$0].run.seed })
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
