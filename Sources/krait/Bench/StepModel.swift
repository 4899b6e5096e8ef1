import Compute
import FeedForward
import Training
import Transformer

/// One model that trains on made-up tokens; its steps are dense or sparse by turns.
///
/// Parameters, moments and activations exist once, so that whatever can be trained can be
/// compared. A change of mode gives the feed-forward networks' memory back and asks for the other
/// mode's; some steps after it do not count.
final class StepModel {
  /// Tokens of a step.
  let tokens: Int
  let backend: any Backend
  private let engine: StepEngine
  private let batch: [StepEngine.MicroBatch]
  private let warmUps: Int
  private let allocatedBefore: Int
  private var present: FeedForwardMode?

  /// Allocates and initializes.
  init(
    _ model: ModelConfiguration, feedForward: FeedForwardConfiguration, sequences: Int,
    sequenceLength: Int, recomputation: Recomputation, warmUps: Int, on backend: any Backend
  ) throws {
    self.backend = backend
    self.warmUps = warmUps
    allocatedBefore = (backend as? any MemoryMeter)?.allocatedBytes ?? 0
    let transformer = try TransformerModel(model, on: backend)
    try transformer.initialize(seed: 1)
    engine = try StepEngine(
      transformer, feedForward: feedForward, optimizer: Optimizer.Settings(),
      sequences: sequences, sequenceLength: sequenceLength, recomputation: recomputation)
    tokens = sequences * sequenceLength
    let random = CounterRandom(seed: 1, stream: 99)
    let ids = (0...tokens).map { Int32(random.bits(UInt64($0)) % UInt64(model.vocabulary)) }
    batch = [
      StepEngine.MicroBatch(tokens: Array(ids.dropLast()), targets: Array(ids.dropFirst()))
    ]
  }

  /// Makes the next step one of a mode; after a change, steps that do not count come first.
  func enter(_ mode: FeedForwardMode) throws {
    guard mode != present else { return }
    try engine.switchMode(to: mode)
    try backend.synchronize()
    (backend as? any MemoryMeter)?.resetPeak()
    present = mode
    for _ in 0..<warmUps { try step() }
  }

  /// One step: gradients, their norm, AdamW; complete when it returns.
  func step() throws {
    let gradients = try engine.gradients(of: batch)
    guard gradients.isFinite else {
      throw CleanError("the benchmark's model diverged: loss \(gradients.loss)")
    }
    try engine.apply(gradients, learningRate: 1e-4)
    try backend.synchronize()
  }

  /// What passes took so far, where every step tells.
  var times: PassTimes { engine.pass.times }

  /// A step whose parts are timed on the device.
  func measuredStep() throws -> (total: Double, parts: PassTimes) {
    try engine.pass.measure(step)
  }

  /// Kept between forward and backward for the feed-forward networks of all layers in this mode.
  var feedForwardBytes: Int {
    engine.pass.feedForward.savedBytesPerLayer * engine.model.configuration.layers
  }

  /// The most that the model held in this mode: parameters, gradients, moments, activations, and
  /// work memory, which stays as large as any step made it. Nil where nobody counts.
  var peakBytes: Int? {
    (backend as? any MemoryMeter).map { $0.peakBytes - allocatedBefore }
  }
}
