import Compute
import FeedForward
import Glibc
import Training
import Transformer

/// A model that trains on made-up tokens, densely or sparsely, and what its steps cost.
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
  /// What the variant allocated: parameters, gradients, moments, activations.
  let bytes: Int?
  private(set) var measurements: [Measurement] = []
  private(set) var places: [Places] = []
  private let engine: StepEngine
  private let batch: [StepEngine.MicroBatch]

  /// Allocates a model of its own, initializes it or copies another variant's, and, for a sparse
  /// mode, clusters its neurons.
  init(
    _ name: String, _ model: ModelConfiguration, mode: FeedForwardMode,
    feedForward: FeedForwardConfiguration, sequences: Int, sequenceLength: Int,
    recomputation: Recomputation, like other: StepVariant? = nil, on backend: any Backend
  ) throws {
    self.name = name
    let meter = backend as? any MemoryMeter
    let before = meter?.allocatedBytes
    let transformer = try TransformerModel(model, on: backend)
    if let other {
      try backend.copy(from: other.engine.model.parameters.all, to: transformer.parameters.all)
      try transformer.parametersChanged()
    } else {
      try transformer.initialize(seed: 1)
    }
    engine = try StepEngine(
      transformer, feedForward: feedForward, optimizer: Optimizer.Settings(),
      sequences: sequences, sequenceLength: sequenceLength, recomputation: recomputation)
    try engine.switchMode(to: mode)
    bytes = meter.flatMap { meter in before.map { meter.allocatedBytes - $0 } }
    let random = CounterRandom(seed: 1, stream: 99)
    let ids = (0...sequences * sequenceLength).map {
      Int32(random.bits(UInt64($0)) % UInt64(model.vocabulary))
    }
    batch = [
      StepEngine.MicroBatch(tokens: Array(ids.dropLast()), targets: Array(ids.dropFirst()))
    ]
  }

  /// Tokens of a step.
  var tokens: Int { batch.reduce(0) { $0 + $1.tokens.count } }
  /// Kept between forward and backward for the feed-forward network of one layer.
  var savedBytesPerLayer: Int { engine.pass.feedForward.savedBytesPerLayer }

  /// One step: gradients, their norm, AdamW. Counted unless it is a warm-up.
  func step(isWarmUp: Bool = false) throws {
    let times = engine.pass.times
    let processor = StepVariant.processorSeconds()
    let start = InterleavedTimer.now()
    try plainStep()
    let seconds = InterleavedTimer.now() - start
    guard !isWarmUp else { return }
    measurements.append(
      Measurement(
        seconds: seconds, processorSeconds: StepVariant.processorSeconds() - processor))
    if engine.model.backend.runsImmediately {
      places.append(Places(total: seconds, pass: engine.pass.times - times))
    }
  }

  /// One more step whose parts are timed on the device; nothing where every step tells already.
  func placeStep() throws {
    guard !engine.model.backend.runsImmediately else { return }
    let (total, parts) = try engine.pass.measure(plainStep)
    places.append(Places(total: total, pass: parts))
  }

  /// One step: gradients, their norm, AdamW; complete when it returns.
  func plainStep() throws {
    let gradients = try engine.gradients(of: batch)
    guard gradients.isFinite else {
      throw CleanError("the benchmark's model diverged: loss \(gradients.loss)")
    }
    try engine.apply(gradients, learningRate: 1e-4)
    try engine.model.backend.synchronize()
  }

  /// The median over steps of the time of a part.
  func median(place: (Places) -> Double) -> Double { places.map(place).median }

  /// The median over steps of one figure.
  func median(_ figure: KeyPath<Measurement, Double>) -> Double {
    measurements.map { $0[keyPath: figure] }.median
  }

  /// User and system time of the whole process so far.
  static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
