public import Compute

/// The feed-forward networks of all layers, and the switch between dense and sparse phases.
///
/// Only the mode in use holds memory: switching releases one method's activations, and the router
/// and the 2:4 weights of a sparse one, before it allocates the other's. Neuron clusters are made
/// when sparsity is switched on and again on request.
public final class FeedForwardStack {
  /// What sparse steps do.
  public let configuration: FeedForwardConfiguration
  /// The sizes.
  public let shape: FeedForwardShape
  /// What the next forward pass does.
  public private(set) var mode = FeedForwardMode.dense
  /// Which weights the next sparse pass thresholds 2:4: the configuration's, or none any more.
  public private(set) var thresholdedWeights: SparseWeights
  /// Centroids and scales as a checkpoint needs them; empty until sparsity was first switched on.
  /// What has changed since, centroids, their places and what is remembered of samples, is on the backend
  /// only, until `readClusterState`.
  public private(set) var clusterState = ClusterState()
  /// Whether the router has centroids that `clusterState` has not.
  private var hasStaleCentroids = false
  /// The same of what is remembered of samples.
  private var hasStaleMemory = false
  private let backend: any Backend
  private var method: (any FeedForwardMethod)?
  private var router: TokenRouter?
  private var memory: ChoiceMemory?
  private var sparseWeights: SparseWeightCache?

  /// Starts dense; allocates at the first `switchMode`.
  public init(
    configuration: FeedForwardConfiguration, shape: FeedForwardShape, on backend: any Backend
  ) {
    self.configuration = configuration
    self.shape = shape
    self.backend = backend
    thresholdedWeights = configuration.effectiveSparseWeights
  }

  /// Makes the next pass use a mode; does nothing when it already does.
  ///
  /// - Parameters:
  ///   - mode: what the next pass does.
  ///   - sparseWeights: whether the weights that the configuration names are thresholded 2:4 in a
  ///     sparse mode; without it they are used as they are.
  public func switchMode(
    to mode: FeedForwardMode, sparseWeights isThresholded: Bool = true
  ) throws(ComputeError) {
    let which = isThresholded ? configuration.effectiveSparseWeights : .none
    let isSame = mode == self.mode && (mode == .dense || which == thresholdedWeights)
    if method != nil && isSame { return }
    thresholdedWeights = which
    try readClusterState()
    // Gives the memory back before the next method asks for its own.
    method = nil
    router = nil
    memory = nil
    sparseWeights = nil
    method = try makeMethod(mode)
    self.mode = mode
  }

  /// Bytes kept per layer between forward and backward in the present mode.
  public var savedBytesPerLayer: Int { method?.savedBytesPerLayer ?? 0 }

  /// Forgets everything derived from the weights: call after every optimizer step.
  public func weightsChanged() { method?.weightsChanged() }

  /// Whether the next sparse step must cluster first.
  public var needsClusters: Bool { clusterState.isEmpty }

  /// The order in which a layer takes the rows of its input; see `FeedForwardMethod`.
  public func route(
    layer: Int, hidden: TensorView, gain: TensorView?
  ) throws(ComputeError) -> TensorView? {
    try current.route(layer: layer, hidden: hidden, gain: gain)
  }

  /// Where a layer wants rows of its input in 8 bits; see `FeedForwardMethod`.
  public func eightBitCopy(layer: Int) -> RMSNorm.EightBitCopy? {
    method?.eightBitCopy(layer: layer)
  }

  /// Runs the forward pass of a layer: `output = residual + Y(input)`; rows of input in the order of
  /// `route`.
  public func forward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, hasCopy: Bool = false,
    residual: TensorView, output: TensorView
  ) throws(ComputeError) {
    try current.forward(
      layer: layer, weights: weights, input: input, hasCopy: hasCopy, residual: residual,
      output: output)
  }

  /// Computes what a layer's forward pass kept again; see `FeedForwardMethod`.
  public func recompute(
    layer: Int, weights: FeedForwardWeights, input: TensorView, hasCopy: Bool = false
  ) throws(ComputeError) {
    try current.recompute(layer: layer, weights: weights, input: input, hasCopy: hasCopy)
  }

  /// Runs the backward pass of a layer; see `FeedForwardMethod`.
  public func backward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, outputGradient: TensorView,
    hasCopy: Bool = false, inputGradient: TensorView
  ) throws(ComputeError) {
    try current.backward(
      layer: layer, weights: weights, input: input, outputGradient: outputGradient,
      hasCopy: hasCopy, inputGradient: inputGradient)
  }

  /// Where the backward pass of a layer wants dY a second time; see `FeedForwardMethod`.
  public func outputGradientCopy(layer: Int) -> RMSNorm.OrderedCopy? {
    method?.outputGradientCopy(layer: layer)
  }

  /// Whether the next forward pass measures sparsity; take the result with `takeStatistics`.
  public func collectStatistics() {
    method?.statistics = SparsityStatistics(layers: shape.layers)
  }

  /// What was measured since `collectStatistics`; nil when nothing was asked for.
  public func takeStatistics() -> SparsityStatistics? {
    defer { method?.statistics = nil }
    return method?.statistics
  }

  /// The next forward passes find where centroids should move: the first of them for every layer.
  /// `applyFindings` moves them, `dropFindings` does not; until one of them is called, all
  /// passes route alike.
  public func findCentroidMoves() {
    router?.startFindingMoves()
  }

  /// The next forward passes, of so many micro-batches, note what their samples say, where columns remember
  /// that: it counts from `applyFindings` on, or, after `dropFindings`, never.
  public func noteSamples(microBatches: Int = 1) {
    memory?.start(microBatches: microBatches)
  }

  /// Moves centroids to where the passes since `findCentroidMoves` found that they should be, and
  /// remembers what was noted since `noteSamples`.
  public func applyFindings() throws(ComputeError) {
    if let router, try router.applyMoves() { hasStaleCentroids = true }
    if let memory, memory.apply() { hasStaleMemory = true }
  }

  /// Forgets what was found since `findCentroidMoves` and noted since `noteSamples`.
  public func dropFindings() {
    router?.dropMoves()
    memory?.drop()
  }

  /// Brings `clusterState` up to date where centroids have moved or samples were noted.
  public func readClusterState() throws(ComputeError) {
    if hasStaleCentroids, let router {
      var centroids: [[Float]] = []
      for view in router.centroids { centroids.append(try backend.floats(of: view)) }
      clusterState.centroids = centroids
      var places: [[Int]] = []
      for (layer, view) in router.places.enumerated() {
        places.append(
          router.placedLayers.contains(layer)
            ? try backend.read(view, as: Int32.self).map { Int($0) } : [])
      }
      clusterState.places = places
      hasStaleCentroids = false
    }
    if hasStaleMemory, let memory {
      clusterState.remembered = try memory.read()
      hasStaleMemory = false
    }
  }

  /// The method in use, for tests and benchmarks that look inside.
  public var sparseMethod: SparseFeedForward? { method as? SparseFeedForward }

  // MARK: Clusters

  /// Clusters every layer's neurons, reorders them, and sets centroids (and, the first time,
  /// beta) for the sparse mode of the configuration.
  ///
  /// - Parameters:
  ///   - weights: present parameters of every layer, in float32.
  ///   - companions: for each layer, other [f, d] matrices whose rows belong to neurons (the
  ///     optimizer's moments); they are reordered together with U and D.
  public func recluster(
    _ weights: [FeedForwardWeights], companions: [[TensorView]]
  ) throws(ComputeError) {
    var state = clusterState
    state.isEmpty = false
    state.centroids = []
    state.sizes = []
    state.places = []
    state.remembered = []
    if configuration.clusters > 0 {
      let clusterer = try NeuronClusterer(
        shape: shape, clusters: configuration.clusters, on: backend)
      for layer in 0..<shape.layers {
        let clusters = try clusterer.cluster(
          weights[layer].up,
          seeds: layer < clusterState.centroids.count ? clusterState.centroids[layer] : nil)
        let order =
          configuration.mode == .paper ? clusters.interleavedOrder : clusters.contiguousOrder
        try clusterer.reorder(
          [weights[layer].up, weights[layer].down] + companions[layer], by: order)
        state.centroids.append(clusters.centroids)
        state.sizes.append(clusters.sizes)
      }
    }
    if clusterState.isEmpty {
      (state.upScales, state.downScales) = try SparseWeightCache.scales(
        of: weights, which: configuration.effectiveSparseWeights, on: backend)
    }
    try restore(state)
  }

  /// Takes clusters and scales, for example from a checkpoint; weights are already in their order.
  public func restore(_ state: ClusterState) throws(ComputeError) {
    clusterState = state
    hasStaleCentroids = false
    hasStaleMemory = false
    try applyClusters()
  }

  // MARK: Private

  private var current: any FeedForwardMethod {
    guard let method else { preconditionFailure("switchMode was never called") }
    return method
  }

  /// Hands clusters and scales to the sparse method, if there is one and if there are any.
  private func applyClusters() throws(ComputeError) {
    guard !clusterState.isEmpty else { return }
    try router?.setCentroids(clusterState.centroids, places: clusterState.places)
    if let memory {
      try memory.restore(clusterState.remembered)
    } else if router != nil {
      // Nobody remembers any more: what was remembered would be old when somebody does again.
      clusterState.remembered = []
    }
    sparseWeights?.setScales(up: clusterState.upScales, down: clusterState.downScales)
  }

  private func makeMethod(
    _ mode: FeedForwardMode
  ) throws(ComputeError) -> any FeedForwardMethod {
    guard mode != .dense else { return try DenseFeedForward(shape: shape, on: backend) }
    let recipe = configuration.recipe(mode, shape: shape)
    let router = try TokenRouter(
      shape: shape, clusters: configuration.clusters, moves: configuration.movesCentroids,
      on: backend)
    let memory =
      recipe.remembers
      ? try ChoiceMemory(
        shape: shape, layers: recipe.rememberingLayers, clusters: configuration.clusters,
        rate: recipe.memoryRate, on: backend) : nil
    let sparseWeights = try SparseWeightCache(
      shape: shape, which: thresholdedWeights, eightBitLayers: recipe.eightBitLayers,
      on: backend)
    self.router = router
    self.memory = memory
    self.sparseWeights = sparseWeights
    try applyClusters()
    return try SparseFeedForward(
      shape: shape, recipe: recipe, router: router, memory: memory, sparseWeights: sparseWeights,
      on: backend)
  }
}
