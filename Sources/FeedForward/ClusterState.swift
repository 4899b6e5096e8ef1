/// Centroids and frozen scales of all layers: what a checkpoint keeps of the sparse phase.
public struct ClusterState: Sendable, Equatable {
  /// Whether sparsity has never been switched on.
  public var isEmpty = true
  /// Centroids of every layer, [C, d] each; empty without clusters.
  public var centroids: [[Float]] = []
  /// Neurons in each cluster, for every layer.
  public var sizes: [[Int]] = []
  /// beta of U for every layer.
  public var upScales: [Float] = []
  /// beta of D for every layer.
  public var downScales: [Float] = []

  /// Nothing yet.
  public init() {}

  /// A state read from a checkpoint or made by clustering.
  public init(
    isEmpty: Bool, centroids: [[Float]], sizes: [[Int]], upScales: [Float], downScales: [Float]
  ) {
    self.isEmpty = isEmpty
    self.centroids = centroids
    self.sizes = sizes
    self.upScales = upScales
    self.downScales = downScales
  }
}
