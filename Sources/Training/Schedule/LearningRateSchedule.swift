import Glibc

/// The learning rate of every step.
public struct LearningRateSchedule: Sendable, Equatable {
  private let configuration: ScheduleConfiguration

  /// The schedule of a configuration.
  public init(_ configuration: ScheduleConfiguration) { self.configuration = configuration }

  /// The rate of a step, counted from 0.
  ///
  /// It rises linearly over `warmup` steps, step 0 already above zero; then stays (`constant`),
  /// follows half a cosine to the last step (`cosine`), or stays until the last `decayFraction` of
  /// the run and falls linearly (`wsd`, Hu et al., arXiv 2404.06395). The last step has
  /// `minimumRatio` of the highest rate.
  public func rate(step: Int) -> Double {
    let highest = configuration.learningRate
    if step < configuration.warmup {
      return highest * Double(step + 1) / Double(configuration.warmup)
    }
    let floor = configuration.minimumRatio
    let last = Double(max(configuration.steps - 1, 1))
    switch configuration.shape {
    case .constant:
      return highest
    case .cosine:
      let start = Double(configuration.warmup)
      let share = last > start ? min(1, (Double(step) - start) / (last - start)) : 1
      return highest * (floor + (1 - floor) * 0.5 * (1 + cos(Double.pi * share)))
    case .wsd:
      let length = configuration.decayFraction * Double(configuration.steps)
      let left = last - Double(step)
      guard left < length, length > 0 else { return highest }
      return highest * (floor + (1 - floor) * max(0, left) / length)
    }
  }
}
