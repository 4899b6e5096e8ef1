public import FeedForward

/// Which steps are sparse.
public struct SparsityPhases: Sendable, Equatable {
  /// Stretches of steps, one after the other; together they are the whole run.
  public let phases: [(steps: Range<Int>, mode: FeedForwardMode)]
  /// A sentence for people where the warm-up is shorter than was asked for; else nil.
  public let warning: String?
  private let reclusterInterval: Int
  private let centroidInterval: Int
  /// The first step whose sparse products take the weights as they are, not 2:4.
  private let plainWeightsFrom: Int

  /// The phases of a configuration.
  ///
  /// Without an explicit list: `denseWarmup` dense steps, then `sparseFraction` of all steps in
  /// the mode of `[feedForward]`, then dense to the end. In a short run the warm-up takes at most
  /// half of the dense steps: a run must not end without any, unless all steps are to be sparse.
  public init(_ schedule: ScheduleConfiguration, feedForward: FeedForwardConfiguration) {
    reclusterInterval = feedForward.reclusterInterval
    centroidInterval = feedForward.movesCentroids ? feedForward.centroidInterval : 0
    var list: [(FeedForwardMode, Int)] = schedule.phases.map { ($0.mode, $0.steps) }
    var warning: String?
    if list.isEmpty {
      if feedForward.mode == .dense || schedule.sparseFraction == 0 {
        list = [(.dense, schedule.steps)]
      } else {
        let sparse = Int((schedule.sparseFraction * Double(schedule.steps)).rounded())
        let warmup = min(schedule.denseWarmup, (schedule.steps - sparse) / 2)
        if sparse > 0 && warmup < schedule.denseWarmup {
          let dense = schedule.steps - sparse
          warning =
            "schedule.denseWarmup is \(schedule.denseWarmup), but schedule.sparseFraction "
            + "\(schedule.sparseFraction) leaves "
            + (dense == 0
              ? "no dense steps; lower it, or set schedule.denseWarmup to 0"
              : "\(dense) dense steps: \(warmup) of them come first, for the run must end with some; "
                + "lower schedule.sparseFraction")
        }
        list = [(.dense, warmup), (feedForward.mode, sparse), (.dense, schedule.steps)]
      }
    }
    var phases: [(steps: Range<Int>, mode: FeedForwardMode)] = []
    var start = 0
    for (index, (mode, steps)) in list.enumerated() {
      let isLast = index == list.count - 1
      let end = isLast ? schedule.steps : min(start + steps, schedule.steps)
      if end > start { phases.append((start..<end, mode)) }
      start = max(start, end)
    }
    self.phases = phases
    self.warning = warning
    let sparse = phases.filter { $0.mode != .dense }.flatMap { Array($0.steps) }
    let thresholded = Int((schedule.sparseWeightsFraction * Double(sparse.count)).rounded())
    plainWeightsFrom = thresholded < sparse.count ? sparse[thresholded] : Int.max
  }

  /// Whether a sparse step also uses the 2:4 weights that `feedForward.sparseWeights` names.
  public func usesSparseWeights(step: Int) -> Bool { step < plainWeightsFrom }

  /// The mode of a step.
  public func mode(step: Int) -> FeedForwardMode {
    phase(of: step)?.mode ?? phases.last?.mode ?? .dense
  }

  /// Whether neurons are clustered anew before a step: every `reclusterInterval` steps within a
  /// sparse phase. The first clustering of a run happens by itself.
  public func reclusters(before step: Int) -> Bool {
    guard reclusterInterval > 0, let phase = phase(of: step), phase.mode != .dense else {
      return false
    }
    return phase.since > 0 && phase.since % reclusterInterval == 0
  }

  /// Whether a step moves the centroids that tokens are routed by: the first of a phase of `columns`, and
  /// every `centroidInterval`th after it.
  public func movesCentroids(step: Int) -> Bool {
    guard centroidInterval > 0, let phase = phase(of: step), phase.mode == .columns else {
      return false
    }
    return phase.since % centroidInterval == 0
  }

  /// The mode of the phase that a step is in, and the steps since it began; nil outside of the run.
  private func phase(of step: Int) -> (mode: FeedForwardMode, since: Int)? {
    phases.first { $0.steps.contains(step) }.map { ($0.mode, step - $0.steps.lowerBound) }
  }

  /// Steps from `step` on that are in a mode other than dense.
  public func sparseSteps(from step: Int) -> Int {
    phases.filter { $0.mode != .dense }
      .reduce(0) { $0 + max(0, $1.steps.upperBound - max(step, $1.steps.lowerBound)) }
  }

  /// Compares phases.
  public static func == (first: SparsityPhases, second: SparsityPhases) -> Bool {
    first.reclusterInterval == second.reclusterInterval
      && first.centroidInterval == second.centroidInterval
      && first.plainWeightsFrom == second.plainWeightsFrom
      && first.phases.count == second.phases.count
      && zip(first.phases, second.phases).allSatisfy { $0.steps == $1.steps && $0.mode == $1.mode }
  }
}
