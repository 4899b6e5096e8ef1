public import Compute
public import FeedForward

/// Forward and backward over one micro-batch: the loss of every token, gradients added up.
///
/// ```
/// x ← embedding[tokens]
/// per layer:  x ← x + attention(norm(x));  x ← x + feedForward(norm(x))
/// loss ← crossEntropy(norm(x) · outputᵀ)
/// ```
/// With `Recomputation.layer` only every layer's x is kept until its gradients are due.
public final class TrainingPass {
  /// The feed-forward networks of all layers; switch their mode between steps.
  public let feedForward: FeedForwardStack
  /// Gradients of all parameters in float32: added to, or replaced. While `batchGradients` is
  /// narrow, matrices have theirs there.
  public var gradients: ParameterArena { batchGradients.wide }
  /// The same in the form that the last micro-batch left them in.
  public let batchGradients: BatchGradients
  /// Seconds spent in feed-forward networks so far; counted where the host's clock can tell.
  public var feedForwardSeconds: Double { clock.times.feedForward }
  /// Where all passes so far spent their time.
  public var times: PassTimes { clock.times }
  /// The loss of every token of the last micro-batch in nats: on its way to the host while gradients
  /// are still computed.
  public private(set) var losses: (any PendingRead)?
  /// Tokens of a micro-batch.
  public var tokenCount: Int { sequences * sequenceLength }
  let model: TransformerModel
  let sequences: Int
  let sequenceLength: Int
  private let recomputation: Recomputation
  let activations: TrainingActivations
  let rotary: RotaryTable
  let layout: PackedAttentionLayout
  private let wideWeights: [LayerWeights]
  private let narrowWeights: [LayerWeights]
  let geometry: Attention.Geometry
  var clock: PassClock
  /// Whether the present micro-batch's gradients replace what was there.
  var isReplacing = false

  /// Allocates everything for micro-batches of `sequences` sequences.
  public init(
    _ model: TransformerModel, feedForward configuration: FeedForwardConfiguration,
    sequences: Int, sequenceLength: Int, recomputation: Recomputation = .none
  ) throws(ComputeError) {
    let shape = model.configuration
    self.model = model
    clock = PassClock(model.backend)
    self.sequences = sequences
    self.sequenceLength = sequenceLength
    self.recomputation = recomputation
    activations = try TrainingActivations(
      shape, tokens: sequences * sequenceLength, recomputation: recomputation,
      on: model.backend)
    let gradients = try BatchGradients(
      model.table, storage: model.backend.storage,
      allMatrices: !shape.tiedEmbeddings
        && activations.logits.rows >= sequences * sequenceLength,
      on: model.backend)
    batchGradients = gradients
    rotary = try RotaryTable(
      positions: sequenceLength, headWidth: shape.headWidth, theta: shape.ropeTheta,
      on: model.backend)
    layout = PackedAttentionLayout(shape)
    feedForward = FeedForwardStack(
      configuration: configuration,
      shape: FeedForwardShape(
        tokens: sequences * sequenceLength, width: shape.width, hiddenWidth: shape.hiddenWidth,
        layers: shape.layers, storage: model.backend.storage,
        heldLayers: recomputation == .none ? nil : 1),
      on: model.backend)
    wideWeights = LayerWeights.all(model, gradient: { gradients.wide[$0] })
    narrowWeights =
      gradients.canBeNarrow ? LayerWeights.all(model, gradient: gradients.narrow) : []
    geometry = Attention.Geometry(
      sequences: sequences, queryLength: sequenceLength, heads: shape.heads,
      keyValueHeads: shape.keyValueHeads, headWidth: shape.headWidth)
  }

  /// The feed-forward parameters of every layer, in float32: what clustering reorders.
  public var feedForwardParameters: [FeedForwardWeights] {
    (0..<weights.count).map { model.feedForwardParameters(layer: $0, gradients: gradients) }
  }

  /// Computes the losses of a micro-batch and adds its gradients.
  ///
  /// - Parameters:
  ///   - tokens: ids, sequence after sequence, T of them.
  ///   - targets: the ids that follow; negative ones are ignored.
  ///   - gradientScale: factor on every token's gradient: 1 / (tokens of the whole batch) gives
  ///     the gradient of the mean.
  ///   - replacing: whether gradients replace what `gradients` holds instead of adding to it: a
  ///     batch's first micro-batch. Products write then what they would else read first.
  /// - Returns: the loss of every token in nats, [T].
  public func run(
    tokens: [Int32], targets: [Int32], gradientScale: Float, replacing: Bool = false
  ) throws(ComputeError) -> [Float] {
    try enqueue(
      tokens: tokens, targets: targets, gradientScale: gradientScale, replacing: replacing)
    return try losses?.floats() ?? []
  }

  /// The same without waiting for the losses: see `losses`.
  ///
  /// - Parameter isWhole: whether nothing will be added to these gradients, which replace what was
  ///   there: then `batchGradients` may become narrow.
  public func enqueue(
    tokens: [Int32], targets: [Int32], gradientScale: Float, replacing: Bool,
    isWhole: Bool = false
  ) throws(ComputeError) {
    precondition(replacing || !isWhole, "a whole batch replaces the gradients of the last")
    isReplacing = replacing
    batchGradients.isNarrow =
      isWhole && feedForward.mode == .dense && batchGradients.canBeNarrow
    if replacing { try clearWhatIsAddedTo() }
    try clock.start()
    try backend.write(tokens, to: activations.tokens)
    try backend.write(targets, to: activations.targets)
    try forward()
    try lossAndGradient(gradientScale)
    losses = try backend.startReading(activations.losses)
    for layer in (0..<weights.count).reversed() {
      // What the last layer left is still there.
      if recomputation == .layer && layer + 1 < weights.count { try recompute(layer) }
      try feedForwardBackward(layer)
      try attentionBackward(layer)
    }
    try backend.run(
      Embedding.Backward(
        tokens: activations.tokens, outputGradient: activations.streamGradient,
        tableGradient: gradient(.embedding),
        replaces: isReplacing && !model.configuration.tiedEmbeddings))
    try clock.lap(\.other)
  }

  /// Runs work that holds passes, and tells where the machine spent its time, in seconds: all of
  /// it, and the parts of the passes. On a GPU that costs an event per part, so time whole steps
  /// without it.
  public func measure(_ work: () throws -> Void) throws -> (total: Double, parts: PassTimes) {
    try clock.beginMeasuring()
    do {
      try work()
    } catch {
      _ = try? clock.endMeasuring()
      throw error
    }
    return try clock.endMeasuring()
  }

  var backend: any Backend { model.backend }
  var weights: [LayerWeights] {
    batchGradients.isNarrow ? narrowWeights : wideWeights
  }
  var epsilon: Float { Float(model.configuration.normEpsilon) }

  private func forward() throws(ComputeError) {
    let first = activations.layers.first?.attentionInput ?? activations.finalInput
    try backend.run(
      Embedding.Forward(
        tokens: activations.tokens, table: model.weight(.embedding), output: first))
    for layer in 0..<weights.count {
      try attentionForward(layer)
      try feedForwardForward(layer)
    }
  }
}
