/// How far the held-out loss of a recipe is above the reference's in the course of training.
public struct LossDistance: Sendable, Equatable {
  /// Loss above the reference's after so many tokens.
  public struct Point: Sendable, Equatable {
    /// Tokens trained on, the same for every run that counts.
    public let tokens: Int
    /// Nats per token, mean over seeds; below zero where the recipe is ahead.
    public let loss: Double
  }

  /// The recipe or, where none has several seeds, the run.
  public let name: String
  /// Which runs of the comparison are averaged, from 0.
  public let runs: [Int]
  /// Token counts at which all of these runs were evaluated, and all that they are compared with, rising.
  public let points: [Point]
}

extension RunComparison {
  /// Whether the runs of some recipe differ in their seeds, so that recipes are averaged.
  var hasSeeds: Bool { groups.contains { $0.runs.count > 1 } }

  /// A distance for each recipe but the reference's that was evaluated where the reference was: to the
  /// reference's runs of the same seeds where every run has one, else to all of them.
  public var distances: [LossDistance] {
    let recipes =
      hasSeeds
      ? groups.map { (name: $0.name, runs: $0.runs) }
      : entries.indices.map { (name: entries[$0].curves.name, runs: [$0]) }
    guard let base = recipes.first(where: { $0.runs.contains(0) }) else { return [] }
    return recipes.filter { !$0.runs.contains(0) }.compactMap { recipe in
      let partners = SeedGroup.partners(
        of: recipe.runs.map { entries[$0].seed }, among: base.runs.map { entries[$0].seed })
      let reference = meanLosses(partners?.map { base.runs[$0] } ?? base.runs)
      let points = meanLosses(recipe.runs).compactMap { tokens, loss in
        reference[tokens].map { LossDistance.Point(tokens: tokens, loss: loss - $0) }
      }
      guard !points.isEmpty else { return nil }
      return LossDistance(
        name: recipe.name, runs: recipe.runs, points: points.sorted { $0.tokens < $1.tokens })
    }
  }

  /// Mean held-out loss by tokens trained on, where all of some runs were evaluated.
  private func meanLosses(_ runs: [Int]) -> [Int: Double] {
    var losses: [Int: [Double]] = [:]
    for run in runs {
      let own = entries[run].curves.evaluations.map { ($0.tokens, $0.loss) }
      // A run may be evaluated twice after the same step: the later one counts.
      for (tokens, loss) in Dictionary(own, uniquingKeysWith: { $1 }) {
        losses[tokens, default: []].append(loss)
      }
    }
    return losses.filter { $0.value.count == runs.count }
      .mapValues { SeedGroup.mean(of: $0) }
  }
}
