/// How far the training loss of a run is above that of another one of the same seed.
public struct TrainingDistance: Sendable, Equatable {
  /// Nats per token, mean over `steps`; below zero where the run is ahead.
  public let loss: Double
  /// The first and the last of the steps that count.
  public let steps: ClosedRange<Int>
}

extension RunComparison {
  /// How far the training loss of a run is above that of the reference's run of the same seed, over
  /// `trainingSteps` or the last tenth of the steps that both have done with the same share of their
  /// highest learning rates: a run that is to be longer decays later, and while only one decays their
  /// losses say nothing of the recipe.
  ///
  /// Both saw the same text in the same step, and there is much of it: recipes are told apart by this
  /// where evaluations of a few hundred sequences differ by chance. Sparse steps are judged with their
  /// masks: what keeps more is ahead at once, without having learned more, so it is no substitute for those.
  ///
  /// - Returns: nil for the reference's own runs, and where none of them has the seed, was trained on as
  ///   many tokens a step, has done any of the steps, or, without `trainingSteps`, had the same share of
  ///   its rate in the second half of the shorter run.
  public func trainingDistance(run: Int) -> TrainingDistance? {
    guard let base = groups.first(where: { $0.runs.contains(0) }), !base.runs.contains(run),
      let seed = entries[run].seed,
      let twin = base.runs.first(where: { entries[$0].seed == seed })
    else { return nil }
    let (own, theirs) = (entries[run].curves, entries[twin].curves)
    let others = Dictionary(theirs.steps.map { ($0.step, $0) }, uniquingKeysWith: { $1 })
    let shared = own.steps.filter { others[$0.step]?.tokens == $0.tokens }
    let steps: ClosedRange<Int>
    var common = shared
    if let trainingSteps {
      steps = trainingSteps
    } else {
      let (highest, otherHighest) = (own.highestRate, theirs.highestRate)
      common = shared.filter { step in
        guard let rate = step.rate, let other = others[step.step]?.rate, highest > 0,
          otherHighest > 0
        else { return true }
        return abs(rate / highest - other / otherHighest) < 0.01
      }
      guard let first = common.first?.step, let last = common.last?.step,
        let end = shared.last?.step, 2 * last >= end
      else { return nil }
      steps = (last - (last - first) / 10)...last
    }
    let counted = common.filter { steps.contains($0.step) }
    let differences = counted.compactMap { step in
      step.loss.flatMap { loss in others[step.step]?.loss.map { loss - $0 } }
    }
    guard let first = counted.first, let last = counted.last, !differences.isEmpty else {
      return nil
    }
    return TrainingDistance(
      loss: SeedGroup.mean(of: differences), steps: first.step...last.step)
  }
}
