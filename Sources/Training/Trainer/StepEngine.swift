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
  /// Whether a batch of one dense micro-batch may have gradients in the storage type.
  private let allowsNarrowGradients: Bool
  /// The losses of the micro-batches so far.
  private var losses: [any PendingRead] = []

  /// Allocates everything for micro-batches of `sequences` sequences.
  ///
  /// `narrowGradients` lets matrices have gradients in the backend's storage type where nothing is
  /// added to them; see `BatchGradients`.
  public init(
    _ model: TransformerModel, feedForward: FeedForwardConfiguration,
    optimizer settings: Optimizer.Settings, sequences: Int, sequenceLength: Int,
    recomputation: Recomputation = .none, narrowGradients: Bool = true
  ) throws(ComputeError) {
    self.model = model
    allowsNarrowGradients = narrowGradients
    pass = try TrainingPass(
      model, feedForward: feedForward, sequences: sequences, sequenceLength: sequenceLength,
      recomputation: recomputation)
    optimizer = try Optimizer(model, settings: settings)
  }

  /// Makes the next step dense or sparse; the first sparse step clusters.
  ///
  /// - Parameters:
  ///   - mode: what the step does.
  ///   - sparseWeights: whether a sparse one also uses the 2:4 weights of the configuration.
  public func switchMode(
    to mode: FeedForwardMode, sparseWeights: Bool = true
  ) throws(ComputeError) {
    if mode != .dense && pass.feedForward.needsClusters { try recluster() }
    try pass.feedForward.switchMode(to: mode, sparseWeights: sparseWeights)
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
    begin(batch.count)
    for index in batch.indices { try add(index, of: batch) }
    return try end(batch)
  }

  /// The same, but asks after every micro-batch whether to go on.
  ///
  /// - Returns: nil when `proceed` said no. Parameters and moments were not touched then.
  public func gradients(
    of batch: [MicroBatch], while proceed: () -> Bool
  ) throws(ComputeError) -> Gradients? {
    begin(batch.count)
    for index in batch.indices {
      try add(index, of: batch)
      guard proceed() else {
        skip()
        return nil
      }
    }
    return try end(batch)
  }

  private func begin(_ microBatches: Int) {
    pass.feedForward.weightsChanged()
    pass.feedForward.noteSamples(microBatches: microBatches)
    losses = []
  }

  /// Adds the gradients of a part of a batch, and keeps its losses; nothing is waited for.
  private func add(_ index: Int, of batch: [MicroBatch]) throws(ComputeError) {
    let tokens = batch.reduce(0) { $0 + $1.tokens.count }
    try pass.enqueue(
      tokens: batch[index].tokens, targets: batch[index].targets,
      gradientScale: 1 / Float(tokens), replacing: index == 0,
      isWhole: batch.count == 1 && allowsNarrowGradients)
    if let read = pass.losses { losses.append(read) }
  }

  /// Waits for the batch's numbers. Losses are there long before gradients are.
  private func end(_ batch: [MicroBatch]) throws(ComputeError) -> Gradients {
    let tokens = batch.reduce(0) { $0 + $1.tokens.count }
    try optimizer.sumSquares(pass.batchGradients)
    var sum = 0.0
    for read in losses {
      for loss in try read.floats() { sum += Double(loss) }
    }
    losses = []
    return Gradients(loss: sum / Double(tokens), norm: try optimizer.summedNorm())
  }

  /// Applies the gradients of the last call, and moves centroids where that was asked for, and
  /// remembers what samples said.
  public func apply(_ gradients: Gradients, learningRate: Double) throws(ComputeError) {
    precondition(gradients.isFinite, "non-finite gradients are never applied")
    try optimizer.apply(
      pass.batchGradients.stretches, norm: gradients.norm, learningRate: learningRate)
    try pass.feedForward.applyFindings()
    pass.feedForward.weightsChanged()
  }

  /// Leaves everything as it was before the last batch: its gradients are not applied, the centroids that
  /// tokens are routed by stay, and what its samples said is forgotten.
  public func skip() { pass.feedForward.dropFindings() }
}
