public import Compute

/// The feed-forward networks of all layers, and the switch between dense and sparse phases.
///
/// Only the method in use holds activation memory: switching releases one and allocates the other.
/// Neuron clusters are made when sparsity is switched on and again on request.
public final class FeedForwardStack {
  /// What sparse steps do.
  public let configuration: FeedForwardConfiguration
  /// The sizes.
  public let shape: FeedForwardShape
  /// What the next forward pass does.
  public private(set) var mode = FeedForwardMode.dense
  /// Centroids and scales as a checkpoint needs them; empty until sparsity was first switched on.
  public private(set) var clusterState = ClusterState()
  private let backend: any Backend
  private var method: (any FeedForwardMethod)?
  private var router: TokenRouter?
  private var sparseWeights: SparseWeightCache?

  /// Starts dense; allocates at the first `switchMode`.
  public init(
    configuration: FeedForwardConfiguration, shape: FeedForwardShape, on backend: any Backend
  ) {
    self.configuration = configuration
    self.shape = shape
    self.backend = backend
  }

  /// Makes the next pass use a mode; does nothing when it already does.
  public func switchMode(to mode: FeedForwardMode) throws(ComputeError) {
    if method != nil && mode == self.mode { return }
    method = nil  // Gives the memory back before the next method asks for its own.
    method = try makeMethod(mode)
    self.mode = mode
  }

  /// Bytes kept per layer between forward and backward in the present mode.
  public var savedBytesPerLayer: Int { method?.savedBytesPerLayer ?? 0 }

  /// Forgets everything derived from the weights: call after every optimizer step.
  public func weightsChanged() { method?.weightsChanged() }

  /// Whether the next sparse step must cluster first.
  public var needsClusters: Bool { clusterState.isEmpty }

  /// Runs the forward pass of a layer: `output = residual + Y(input)`.
  public func forward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, residual: TensorView,
    output: TensorView
  ) throws(ComputeError) {
    try current.forward(
      layer: layer, weights: weights, input: input, residual: residual, output: output)
  }

  /// Runs the backward pass of a layer; see `FeedForwardMethod`.
  public func backward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, outputGradient: TensorView,
    inputGradient: TensorView
  ) throws(ComputeError) {
    try current.backward(
      layer: layer, weights: weights, input: input, outputGradient: outputGradient,
      inputGradient: inputGradient)
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

  /// The method in use, for tests and benchmarks that look inside.
  public var sparseMethod: SparseFeedForward? { method as? SparseFeedForward }

  // MARK: Clusters

  /// Clusters every layer's neurons, reorders them, and sets centroids (and, the first time,
  /// beta) for the sparse mode of the configuration.
  ///
  /// - Parameters:
  ///   - weights: present weights of every layer.
  ///   - companions: for each layer, other [f, d] matrices whose rows belong to neurons (the
  ///     optimizer's moments); they are reordered together with U and D.
  public func recluster(
    _ weights: [FeedForwardWeights], companions: [[TensorView]]
  ) throws(ComputeError) {
    let isFirst = clusterState.isEmpty
    var centroids: [[Float]] = []
    var sizes: [[Int]] = []
    if configuration.clusters > 0 {
      let clusterer = try NeuronClusterer(
        shape: shape, clusters: configuration.clusters, on: backend)
      for layer in 0..<shape.layers {
        let clusters = try clusterer.cluster(weights[layer].up)
        let order =
          configuration.mode == .paper ? clusters.interleavedOrder : clusters.contiguousOrder
        try clusterer.reorder(
          [weights[layer].up, weights[layer].down] + companions[layer], by: order)
        centroids.append(clusters.centroids)
        sizes.append(clusters.sizes)
      }
    }
    let router = try sparseRouter()
    try router.setCentroids(centroids)
    let cache = try sparseCache()
    if isFirst { try cache.freezeScales(weights) } else { cache.weightsChanged() }
    clusterState = ClusterState(
      isEmpty: false, centroids: centroids, sizes: sizes, upScales: cache.upScales,
      downScales: cache.downScales)
  }

  /// Takes clusters and scales from a checkpoint; the weights there are already in order.
  public func restore(_ state: ClusterState) throws(ComputeError) {
    clusterState = state
    guard !state.isEmpty else { return }
    try sparseRouter().setCentroids(state.centroids)
    try sparseCache().setScales(up: state.upScales, down: state.downScales)
  }

  // MARK: Private

  private var current: any FeedForwardMethod {
    guard let method else { preconditionFailure("switchMode was never called") }
    return method
  }

  private func sparseRouter() throws(ComputeError) -> TokenRouter {
    if let router { return router }
    let made = try TokenRouter(shape: shape, clusters: configuration.clusters, on: backend)
    router = made
    return made
  }

  private func sparseCache() throws(ComputeError) -> SparseWeightCache {
    if let sparseWeights { return sparseWeights }
    let made = try SparseWeightCache(
      shape: shape, which: configuration.effectiveSparseWeights, on: backend)
    sparseWeights = made
    return made
  }

  private func makeMethod(
    _ mode: FeedForwardMode
  ) throws(ComputeError) -> any FeedForwardMethod {
    guard mode != .dense else { return try DenseFeedForward(shape: shape, on: backend) }
    return try SparseFeedForward(
      shape: shape, recipe: configuration.recipe(mode, shape: shape), router: try sparseRouter(),
      sparseWeights: try sparseCache(), on: backend)
  }
}

extension FeedForwardConfiguration {
  /// What a sparse method needs to know, for a sparse mode.
  public func recipe(
    _ mode: FeedForwardMode, shape: FeedForwardShape
  ) -> SparseFeedForward.Recipe {
    precondition(mode != .dense, "a dense mode has no sparse recipe")
    if mode == .paper {
      return SparseFeedForward.Recipe(
        blockTokens: blockTokens,
        keptColumns: Array(repeating: shape.hiddenWidth / venomM * 4, count: shape.layers),
        selection: .venom(n: venomN, m: venomM), weightGradientPattern: weightGradientPattern)
    }
    return SparseFeedForward.Recipe(
      blockTokens: blockTokens,
      keptColumns: (0..<shape.layers).map {
        keptColumns(layer: $0, hiddenWidth: shape.hiddenWidth)
      },
      selection: selection == .exact ? .exact : .sampled(samples))
  }
}
