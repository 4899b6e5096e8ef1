/// Centroids, where they stand, what is remembered of samples, and frozen scales, of all layers: what a
/// checkpoint keeps of the sparse phase.
public struct ClusterState: Sendable, Equatable {
  /// Whether sparsity has never been switched on.
  public var isEmpty = true
  /// Centroids of every layer, [C, d] each; empty without clusters.
  public var centroids: [[Float]] = []
  /// Where clusters stand in the row that tokens are sorted by, for every layer [C] or nothing; empty before
  /// centroids have moved.
  public var places: [[Int]] = []
  /// What is remembered of samples, for every layer [C, f] or nothing; empty where nothing is.
  public var remembered: [[Float]] = []
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
    isEmpty: Bool, centroids: [[Float]], places: [[Int]] = [], remembered: [[Float]] = [],
    sizes: [[Int]], upScales: [Float], downScales: [Float]
  ) {
    self.places = places
    self.remembered = remembered
    self.isEmpty = isEmpty
    self.centroids = centroids
    self.sizes = sizes
    self.upScales = upScales
    self.downScales = downScales
  }
}
