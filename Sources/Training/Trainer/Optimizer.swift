public import Compute
public import Transformer

/// AdamW over all parameters of a model at once: two moments in arenas of the same layout.
public final class Optimizer {
  /// Constants of the update.
  public struct Settings: Sendable, Equatable {
    /// Decay of the first moment.
    public var beta1: Float = 0.9
    /// Decay of the second moment.
    public var beta2: Float = 0.95
    /// Added to the root of the second moment.
    public var epsilon: Float = 1e-8
    /// Decoupled decay of matrices.
    public var weightDecay: Float = 0.1
    /// The global norm is scaled down to this; 0 never clips.
    public var gradientClip: Float = 1

    /// The defaults.
    public init() {}
  }

  /// Constants of the update.
  public let settings: Settings
  /// Updates applied so far.
  public var updates = 0
  /// Mean of gradients.
  public let firstMoment: ParameterArena
  /// Mean of squared gradients.
  public let secondMoment: ParameterArena
  private let model: TransformerModel
  /// Of every part of the last gradients.
  private var sums: TensorView
  private var summed: (any PendingRead)?
  private let arena: Arena
  /// Parts that gradients come in, at most.
  private static let most = 3

  /// Allocates zeroed moments.
  public init(_ model: TransformerModel, settings: Settings) throws(ComputeError) {
    self.model = model
    self.settings = settings
    let backend = model.backend
    firstMoment = try ParameterArena(model.table, on: backend, purpose: "first moments")
    secondMoment = try ParameterArena(model.table, on: backend, purpose: "second moments")
    arena = try Arena(
      byteCount: Arena.bytes(rows: 1, columns: Optimizer.most), on: backend,
      purpose: "gradient norm")
    sums = arena.take(rows: 1, columns: Optimizer.most)
  }

  /// The global norm of all gradients; infinite or NaN when any gradient is.
  public func gradientNorm(_ gradients: ParameterArena) throws(ComputeError) -> Double {
    try sumSquares([gradients.all])
    return try summedNorm()
  }

  /// Asks for the norm without waiting for it.
  func sumSquares(_ gradients: BatchGradients) throws(ComputeError) {
    try sumSquares(
      gradients.isNarrow ? gradients.stretches.map(\.values) : [gradients.wide.all])
  }

  private func sumSquares(_ parts: [TensorView]) throws(ComputeError) {
    for (index, part) in parts.enumerated() {
      try model.backend.run(
        SumOfSquares(values: part, result: sums.columns(index..<index + 1)))
    }
    summed = try model.backend.startReading(sums.columns(0..<parts.count))
  }

  /// The norm that `sumSquares` asked for.
  func summedNorm() throws(ComputeError) -> Double {
    guard let summed else { preconditionFailure("no sums were asked for") }
    return try summed.floats().reduce(0) { $0 + Double($1) }.squareRoot()
  }

  /// Applies one update. `norm` is the gradients' global norm.
  public func apply(
    _ gradients: ParameterArena, norm: Double, learningRate: Double
  ) throws(ComputeError) {
    try apply(
      BatchGradients.stretches(of: gradients), norm: norm, learningRate: learningRate)
  }

  /// The same for gradients in stretches of any type.
  func apply(
    _ gradients: [BatchGradients.Stretch], norm: Double, learningRate: Double
  ) throws(ComputeError) {
    updates += 1
    let clip = Double(settings.gradientClip)
    let scale = clip > 0 && norm > clip ? Float(clip / norm) : 1
    for stretch in gradients {
      func part(_ arena: ParameterArena) -> TensorView { arena.all.columns(stretch.elements) }
      try model.backend.run(
        AdamW(
          parameters: part(model.parameters), gradients: stretch.values,
          firstMoment: part(firstMoment), secondMoment: part(secondMoment),
          weights: stretch.decays ? model.storedMatrices?.columns(stretch.elements) : nil,
          learningRate: Float(learningRate), beta1: settings.beta1, beta2: settings.beta2,
          epsilon: settings.epsilon, weightDecay: stretch.decays ? settings.weightDecay : 0,
          gradientScale: scale, step: updates))
    }
  }

  /// The moments that belong to the neurons of each layer, for `FeedForwardStack.recluster`.
  public var neuronMoments: [[TensorView]] {
    (0..<model.configuration.layers).map { layer in
      [firstMoment, secondMoment].flatMap { moment in
        [moment[.up(layer: layer)], moment[.down(layer: layer)]]
      }
    }
  }
}
