public import Compute
public import FeedForward
public import Transformer

/// Model, pass and optimizer together: one optimizer step from micro-batches of tokens.
///
/// Knows nothing of schedules, files or logs; the trainer and the benchmarks drive it.
public final class StepEngine {
  /// One micro-batch: token ids and the ids that follow.
  public struct MicroBatch: Sendable {
    /// Ids, sequence after sequence.
    public var tokens: [Int32]
    /// The id after each.
    public var targets: [Int32]

    /// See the properties.
    public init(tokens: [Int32], targets: [Int32]) {
      self.tokens = tokens
      self.targets = targets
    }
  }

  /// The gradients of a batch, not yet applied.
  public struct Gradients: Sendable, Equatable {
    /// Mean loss of all tokens, in nats.
    public var loss: Double
    /// Global norm of the gradient of that mean, before clipping.
    public var norm: Double
    /// Whether both are finite: whether an update may be applied.
    public var isFinite: Bool { loss.isFinite && norm.isFinite }

    package init(loss: Double, norm: Double) {
      self.loss = loss
      self.norm = norm
    }
  }

  /// Parameters.
  public let model: TransformerModel
  /// Activations, gradients and the feed-forward networks.
  public let pass: TrainingPass
  /// Moments.
  public let optimizer: Optimizer

  /// Allocates everything for micro-batches of `sequences` sequences.
  public init(
    _ model: TransformerModel, feedForward: FeedForwardConfiguration,
    optimizer settings: Optimizer.Settings, sequences: Int, sequenceLength: Int,
    recomputation: Recomputation = .none
  ) throws(ComputeError) {
    self.model = model
    pass = try TrainingPass(
      model, feedForward: feedForward, sequences: sequences, sequenceLength: sequenceLength,
      recomputation: recomputation)
    optimizer = try Optimizer(model, settings: settings)
  }

  /// Makes the next step dense or sparse; the first sparse step clusters.
  public func switchMode(to mode: FeedForwardMode) throws(ComputeError) {
    if mode != .dense && pass.feedForward.needsClusters { try recluster() }
    try pass.feedForward.switchMode(to: mode)
  }

  /// Clusters neurons anew; parameters and moments are reordered together.
  public func recluster() throws(ComputeError) {
    try pass.feedForward.recluster(
      pass.feedForwardParameters, companions: optimizer.neuronMoments)
    try model.parametersChanged()
    pass.feedForward.weightsChanged()
  }

  /// Forward and backward over a batch; gradients replace those of the last step.
  public func gradients(of batch: [MicroBatch]) throws(ComputeError) -> Gradients {
    var sum: Double = 0
    try begin()
    for micro in batch { sum += try add(micro, of: batch) }
    return try end(sum, of: batch)
  }

  /// The same, but asks after every micro-batch whether to go on.
  ///
  /// - Returns: nil when `proceed` said no. Parameters and moments were not touched then.
  public func gradients(
    of batch: [MicroBatch], while proceed: () -> Bool
  ) throws(ComputeError) -> Gradients? {
    var sum: Double = 0
    try begin()
    for micro in batch {
      sum += try add(micro, of: batch)
      guard proceed() else { return nil }
    }
    return try end(sum, of: batch)
  }

  private func begin() throws(ComputeError) {
    try model.backend.zero(pass.gradients.all)
    pass.feedForward.weightsChanged()
  }

  /// Adds the gradients of a part of a batch; returns the sum of its losses.
  private func add(_ micro: MicroBatch, of batch: [MicroBatch]) throws(ComputeError) -> Double {
    let tokens = batch.reduce(0) { $0 + $1.tokens.count }
    let losses = try pass.run(
      tokens: micro.tokens, targets: micro.targets, gradientScale: 1 / Float(tokens))
    return losses.reduce(0) { $0 + Double($1) }
  }

  private func end(_ sum: Double, of batch: [MicroBatch]) throws(ComputeError) -> Gradients {
    let tokens = batch.reduce(0) { $0 + $1.tokens.count }
    let norm = try optimizer.gradientNorm(pass.gradients)
    return Gradients(loss: sum / Double(tokens), norm: norm)
  }

  /// Applies the gradients of the last call.
  public func apply(_ gradients: Gradients, learningRate: Double) throws(ComputeError) {
    precondition(gradients.isFinite, "non-finite gradients are never applied")
    try optimizer.apply(pass.gradients, norm: gradients.norm, learningRate: learningRate)
    pass.feedForward.weightsChanged()
  }
}
