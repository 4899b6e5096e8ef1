extension RunComparison {
  /// How far the training loss of a run is above that of the reference's run of the same seed, nats per
  /// token, mean over `trainingSteps` or the last tenth of the steps that both have done with the same share
  /// of their highest learning rates: a run that is to be longer decays later, and while only one decays
  /// their losses say nothing of the recipe.
  ///
  /// Both saw the same text in the same step, and there is much of it: recipes are told apart by this
  /// where evaluations of a few hundred sequences differ by chance. Sparse steps are judged with their
  /// masks, so it is no substitute for those.
  ///
  /// - Returns: nil for the reference's own runs, and where none of them has the seed, was trained on as
  ///   many tokens a step, or has done any of the steps.
  public func trainingDistance(run: Int) -> Double? {
    guard let base = groups.first(where: { $0.runs.contains(0) }), !base.runs.contains(run),
      let seed = entries[run].seed,
      let twin = base.runs.first(where: { entries[$0].seed == seed })
    else { return nil }
    let (own, reference) = (entries[run].curves.steps, entries[twin].curves.steps)
    let losses = Dictionary(
      reference.map { ($0.step, (tokens: $0.tokens, loss: $0.loss)) }, uniquingKeysWith: { $1 })
    let common = own.filter { step in
      losses[step.step]?.tokens == step.tokens
        && (trainingSteps != nil
          || isRateAlike(entries[run].schedule, entries[twin].schedule, step: step.step))
    }
    guard let first = common.first?.step, let last = common.last?.step else { return nil }
    let steps = trainingSteps ?? (last - (last - first) / 10)...last
    let differences = common.filter { steps.contains($0.step) }.compactMap { step in
      step.loss.flatMap { loss in losses[step.step]?.loss.map { loss - $0 } }
    }
    return differences.isEmpty ? nil : SeedGroup.mean(of: differences)
  }

  /// Whether two schedules have the same share of their highest rates, to a hundredth, in the step after which
  /// so many are done.
  private func isRateAlike(
    _ own: ScheduleConfiguration?, _ other: ScheduleConfiguration?, step: Int
  ) -> Bool {
    let shares = [own, other].compactMap { schedule in
      schedule.map { LearningRateSchedule($0).rate(step: step - 1) / $0.learningRate }
    }
    return shares.count < 2 || abs(shares[0] - shares[1]) < 0.01
  }
}
