import Compute
import FeedForward
import Glibc
import Transformer

/// What the steps of a mode cost.
final class StepVariant {
  /// One optimizer step.
  struct Measurement {
    var seconds: Double
    /// Of all threads of the process.
    var processorSeconds: Double
  }

  /// Where the time of one step went, on the device.
  struct Places {
    var total: Double
    var pass: PassTimes
    /// Clearing gradients, their norm, AdamW, and the waits between.
    var optimizer: Double { max(0, total - pass.total) }
  }

  let name: String
  /// The most that the model held when such steps first ran; nil where nobody counts.
  private(set) var bytes: Int?
  /// Kept between forward and backward for the feed-forward networks of all layers.
  private(set) var feedForwardBytes = 0
  private(set) var measurements: [Measurement] = []
  private(set) var places: [Places] = []
  private let model: StepModel
  private let mode: FeedForwardMode

  /// Runs nothing yet.
  init(_ name: String, mode: FeedForwardMode, on model: StepModel) {
    self.name = name
    self.mode = mode
    self.model = model
  }

  /// Tokens of a step.
  var tokens: Int { model.tokens }

  /// One step that counts.
  func step() throws {
    try model.enter(mode)
    let times = model.times
    let processor = StepVariant.processorSeconds()
    let start = InterleavedTimer.now()
    try model.step()
    let seconds = InterleavedTimer.now() - start
    measurements.append(
      Measurement(
        seconds: seconds, processorSeconds: StepVariant.processorSeconds() - processor))
    if model.backend.runsImmediately {
      places.append(Places(total: seconds, pass: model.times - times))
    }
    guard measurements.count == 1 else { return }
    bytes = model.peakBytes
    feedForwardBytes = model.feedForwardBytes
  }

  /// One more step whose parts are timed on the device; nothing where every step tells already.
  func placeStep() throws {
    guard !model.backend.runsImmediately else { return }
    try model.enter(mode)
    let (total, parts) = try model.measuredStep()
    places.append(Places(total: total, pass: parts))
  }

  /// One more step that counts for nothing.
  func plainStep() throws {
    try model.enter(mode)
    try model.step()
  }

  /// How many times faster a step would be whose feed-forward networks cost nothing.
  var limit: Double {
    let total = median(place: \.total)
    return total / (total - median(place: \.pass.feedForward))
  }

  /// The median over steps of the time of a part.
  func median(place: (Places) -> Double) -> Double { places.map(place).median }

  /// The median over steps of one figure.
  func median(_ figure: KeyPath<Measurement, Double>) -> Double {
    measurements.map { $0[keyPath: figure] }.median
  }

  /// User and system time of the whole process so far.
  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
