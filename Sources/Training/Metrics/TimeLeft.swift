/// How long a run still takes: smoothed seconds of a step, for dense and sparse steps apart.
struct TimeLeft {
  private let steps: Int
  private let phases: SparsityPhases
  private var dense: Double?
  private var sparse: Double?

  init(steps: Int, phases: SparsityPhases) {
    self.steps = steps
    self.phases = phases
  }

  mutating func learn(_ seconds: Double, isDense: Bool) {
    func smooth(_ old: Double?) -> Double { old.map { 0.9 * $0 + 0.1 * seconds } ?? seconds }
    if isDense { dense = smooth(dense) } else { sparse = smooth(sparse) }
  }

  /// Seconds left after `done` steps; nil before the first.
  func seconds(after done: Int) -> Double? {
    // Until a kind was seen, the other kind's time stands for it.
    guard let any = dense ?? sparse else { return nil }
    let sparseSteps = phases.sparseSteps(from: done)
    let denseSteps = steps - done - sparseSteps
    return Double(denseSteps) * (dense ?? any) + Double(sparseSteps) * (sparse ?? any)
  }
}
