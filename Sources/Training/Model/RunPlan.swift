public import Compute
import FeedForward
import Transformer

/// What a configuration will cost: parameters, memory, floating-point operations.
public struct RunPlan: Sendable, Equatable {
  /// Numbers that are trained.
  public let parameters: Int
  /// Parameters outside embedding and output tables.
  public let blockParameters: Int
  /// Bytes of parameters, gradients and two moments, and of the gradients' norm.
  public let stateBytes: Int
  /// Bytes of activations outside the feed-forward networks.
  public let activationBytes: Int
  /// The sizes of the feed-forward networks.
  let feedForwardShape: FeedForwardShape
  /// Bytes of one number per token and model dimension, in the storage type.
  public let streamBytes: Int
  /// Bytes that feed-forward networks keep and work in, dense and sparse.
  public let denseFeedForwardBytes: Int
  /// See `denseFeedForwardBytes`; nil for a run without sparse steps.
  public let sparseFeedForwardBytes: Int?
  /// Bytes that a dense evaluation takes for its own time.
  public let evaluationBytes: Int
  /// Bytes on the host of the copy that a checkpoint is written from: parameters and moments.
  public let checkpointBytes: Int
  /// The most bytes that the backend holds at any time: state, activations, the feed-forward
  /// networks of the phase, and beside them an evaluation or a clustering.
  public let peakBytes: Int
  /// Floating-point operations of a dense step, a multiply-add counting two, the causal half of
  /// attention counted once; what is computed again counts again.
  public let denseFlops: Double
  /// The same for a sparse step: what is executed.
  public let sparseFlops: Double?
  /// Steps of each kind.
  public let denseSteps: Int
  /// See `denseSteps`.
  public let sparseSteps: Int
  /// See `SparsityPhases`.
  public let warning: String?

  /// Plans a configuration on a backend that stores activations so; allocates nothing.
  public init(_ configuration: RunConfiguration, storage: ElementType = .float32) {
    let model = configuration.model
    let table = ParameterTable(model)
    let data = configuration.data
    let tokens = data.microBatch * data.sequence
    let phases = SparsityPhases(configuration.schedule, feedForward: configuration.feedForward)
    parameters = table.parameterCount
    let tables = model.vocabulary * model.width * (model.tiedEmbeddings ? 1 : 2)
    blockParameters = table.parameterCount - tables
    let arena = ElementType.float32.byteCount * table.elementCount
    stateBytes =
      4 * arena + Arena.bytes(rows: 1, columns: 1)
      + (storage == .float32 ? 0 : Arena.bytes(rows: 1, columns: table.decayingCount, storage))
    checkpointBytes =
      3 * ElementType.float32.byteCount * table.parameterCount
      + configuration.feedForward.rememberedBytes(
        layers: model.layers, hiddenWidth: model.hiddenWidth)
    activationBytes = TrainingPass.activationBytes(
      model, sequences: data.microBatch, sequenceLength: data.sequence, storage: storage,
      recomputation: configuration.device.recompute)
    streamBytes = Arena.bytes(rows: tokens, columns: model.width, storage)
    let evaluated = min(data.microBatch, configuration.run.evaluateSequences)
    evaluationBytes =
      evaluated > 0
      ? InferenceSession.bytes(
        model, sequences: evaluated, capacity: data.sequence, maximumChunk: data.sequence,
        storage: storage) : 0
    let shape = FeedForwardShape(
      tokens: tokens, width: model.width, hiddenWidth: model.hiddenWidth, layers: model.layers,
      storage: storage, heldLayers: configuration.device.recompute == .none ? nil : 1)
    feedForwardShape = shape
    denseFeedForwardBytes = FeedForwardStack.bytes(
      configuration.feedForward, mode: .dense, shape: shape)
    peakBytes =
      stateBytes + activationBytes
      + RunPlan.phasePeak(configuration, phases, shape: shape, evaluation: evaluationBytes)
    sparseSteps = phases.sparseSteps(from: 0)
    warning = phases.warning
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
    // What a backward pass computes again: every layer but the last, up to its activations.
    let again = configuration.device.recompute == .none ? 0 : (layers - 1) / layers
    let restAgain = again * (projections / 3 + attention * 2 / 7)
    denseFlops = rest + restAgain + (6 + again) * layers * product

    guard sparseSteps > 0 else {
      sparseFlops = nil
      sparseFeedForwardBytes = nil
      return
    }
    let recipe = configuration.feedForward.recipe(configuration.feedForward.mode, shape: shape)
    let kept = recipe.keptColumns.reduce(0, +)
    let keptShare = Double(kept) / f
    let first: Double
    if case .sampled(let samples) = recipe.selection {
      first = keptShare + layers * Double(samples) / Double(recipe.blockTokens)
    } else {
      first = layers
    }
    let routing = layers * Double(configuration.feedForward.clusters) / f
    // Products 4 and 6 run densely on a matrix with zeros when their pattern is their own.
    let weightProducts = recipe.weightGradientPattern == .venom ? 2 * layers : 2 * keptShare
    sparseFlops =
      rest + restAgain
      + product * ((1 + again) * (first + routing) + 3 * keptShare + weightProducts)
    sparseFeedForwardBytes = FeedForwardStack.bytes(
      configuration.feedForward, mode: configuration.feedForward.mode, shape: shape)
  }

  /// The most that feed-forward networks and what happens beside them hold in any phase.
  private static func phasePeak(
    _ configuration: RunConfiguration, _ phases: SparsityPhases, shape: FeedForwardShape,
    evaluation: Int
  ) -> Int {
    let feedForward = configuration.feedForward
    let interval = configuration.run.evaluateInterval
    let clustering = FeedForwardStack.clusteringBytes(feedForward, shape: shape)
    var peak = 0
    var previous = 0  // What is held when a phase begins: the phase before, or nothing.
    var isClustered = false
    for phase in phases.phases {
      let held = FeedForwardStack.bytes(feedForward, mode: phase.mode, shape: shape)
      let (first, last) = (phase.steps.lowerBound, phase.steps.upperBound)
      let evaluates =
        last == configuration.schedule.steps
        || interval > 0 && last / interval > first / interval
      peak = max(peak, held + (evaluates ? evaluation : 0))
      if phase.mode != .dense {
        if !isClustered { peak = max(peak, previous + clustering) }
        isClustered = true
        let again = feedForward.reclusterInterval
        if again > 0 && phase.steps.count > again { peak = max(peak, held + clustering) }
      }
      previous = held
    }
    return peak
  }
}
