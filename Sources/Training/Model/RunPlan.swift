import Compute
import FeedForward
import Transformer

/// What a configuration will cost: parameters, memory, floating-point operations.
public struct RunPlan: Sendable, Equatable {
  /// Numbers that are trained.
  public let parameters: Int
  /// Parameters outside embedding and output tables.
  public let blockParameters: Int
  /// Bytes of parameters, gradients and two moments.
  public let stateBytes: Int
  /// Bytes of activations outside the feed-forward networks.
  public let activationBytes: Int
  /// Bytes that feed-forward networks keep and work in, dense and sparse.
  public let denseFeedForwardBytes: Int
  /// See `denseFeedForwardBytes`; nil for a run without sparse steps.
  public let sparseFeedForwardBytes: Int?
  /// Floating-point operations of a dense step, a multiply-add counting two, the causal half of
  /// attention counted once.
  public let denseFlops: Double
  /// The same for a sparse step: what is executed.
  public let sparseFlops: Double?
  /// Steps of each kind.
  public let denseSteps: Int
  /// See `denseSteps`.
  public let sparseSteps: Int

  /// Peak bytes: the larger of the two phases.
  public var peakBytes: Int {
    stateBytes + activationBytes + max(denseFeedForwardBytes, sparseFeedForwardBytes ?? 0)
  }

  /// Plans a configuration; allocates nothing.
  public init(_ configuration: RunConfiguration) {
    let model = configuration.model
    let table = ParameterTable(model)
    let data = configuration.data
    let tokens = data.microBatch * data.sequence
    let phases = SparsityPhases(configuration.schedule, feedForward: configuration.feedForward)
    parameters = table.parameterCount
    let tables = model.vocabulary * model.width * (model.tiedEmbeddings ? 1 : 2)
    blockParameters = table.parameterCount - tables
    stateBytes = 4 * 4 * table.elementCount
    activationBytes = TrainingPass.activationBytes(model, tokens: tokens)

    let matrix = Arena.bytes(rows: tokens, columns: model.hiddenWidth)
    denseFeedForwardBytes = (model.layers + 1) * matrix
    sparseSteps = phases.sparseSteps(from: 0)
    denseSteps = configuration.schedule.steps - sparseSteps

    let batchTokens = Double(data.batch * data.sequence)
    let layers = Double(model.layers)
    let d = Double(model.width)
    let f = Double(model.hiddenWidth)
    let queryWidth = Double(model.heads * model.headWidth)
    let keyWidth = Double(model.keyValueHeads * model.headWidth)
    let projections = 6 * batchTokens * layers * d * (2 * queryWidth + 2 * keyWidth)
    let attention =
      14 * 0.5 * layers * Double(data.batch) * queryWidth
      * Double(data.sequence) * Double(data.sequence + 1)
    let output = 6 * batchTokens * d * Double(model.vocabulary)
    let product = 2 * batchTokens * d * f
    let rest = projections + attention + output
    denseFlops = rest + 6 * layers * product

    guard sparseSteps > 0 else {
      sparseFlops = nil
      sparseFeedForwardBytes = nil
      return
    }
    let shape = FeedForwardShape(
      tokens: tokens, width: model.width, hiddenWidth: model.hiddenWidth, layers: model.layers)
    let recipe = configuration.feedForward.recipe(configuration.feedForward.mode, shape: shape)
    let kept = recipe.keptColumns.reduce(0, +)
    let keptShare = Double(kept) / f
    let first: Double
    if case .sampled(let samples) = recipe.selection {
      first = keptShare + layers * Double(samples) / Double(recipe.blockTokens)
    } else {
      first = layers
    }
    sparseFlops = rest + product * (first + 5 * keptShare)
    let packed = tokens * kept * 4
    let scratch =
      recipe.selection.isSampled
      ? tokens * (recipe.keptColumns.max() ?? 0) * 4
      : matrix + tokens * (recipe.keptColumns.max() ?? 0) * 4
    let copies =
      configuration.feedForward.effectiveSparseWeights == .none
      ? 0
      : model.layers * model.hiddenWidth * model.width * 4
        * (configuration.feedForward.effectiveSparseWeights == .both ? 2 : 1)
    sparseFeedForwardBytes = packed + scratch + copies
  }
}

extension SparseFeedForward.Selection {
  fileprivate var isSampled: Bool {
    if case .sampled = self { return true }
    return false
  }
}
