import Compute

/// Runs `NeuronClusters` on weights that live on a backend, and reorders them.
///
/// Rare work (once, or every few hundred steps): the weights are copied to the host, the products
/// of k-means run on the backend.
final class NeuronClusterer {
  private let backend: any Backend
  private let shape: FeedForwardShape
  private let clusters: Int
  private let rows: TensorView
  private let centroids: TensorView
  private let scores: TensorView
  private let indices: TensorView
  private let arena: Arena
  /// U on the host, in memory that all layers share.
  private var weights: [Float]

  init(
    shape: FeedForwardShape, clusters: Int, on backend: any Backend
  ) throws(ComputeError) {
    self.backend = backend
    self.shape = shape
    self.clusters = clusters
    arena = try Arena(
      byteCount: NeuronClusterer.bytes(shape, clusters: clusters), on: backend,
      purpose: "neuron clustering")
    rows = arena.take(rows: shape.hiddenWidth, columns: shape.width)
    centroids = arena.take(rows: clusters, columns: shape.width)
    scores = arena.take(rows: shape.hiddenWidth, columns: clusters)
    indices = arena.take(rows: 1, columns: shape.hiddenWidth, .int32)
    weights = Array(repeating: 0, count: shape.hiddenWidth * shape.width)
  }

  /// All that an instance allocates.
  static func bytes(_ shape: FeedForwardShape, clusters: Int) -> Int {
    Arena.bytes(rows: shape.hiddenWidth, columns: shape.width)
      + Arena.bytes(rows: clusters, columns: shape.width)
      + Arena.bytes(rows: shape.hiddenWidth, columns: clusters)
      + Arena.bytes(rows: 1, columns: shape.hiddenWidth, .int32)
  }

  /// Clusters the rows of U, starting from earlier centroids if there are any.
  func cluster(_ up: TensorView, seeds: [Float]?) throws(ComputeError) -> NeuronClusters {
    try read(up)
    do {
      return try NeuronClusters(
        rows: weights, width: shape.width, clusters: clusters, seeds: seeds,
        threads: backend.hostThreads,
        similarities: { _, means in
          try backend.write(means, to: centroids)
          try backend.run(
            MatrixMultiply(up, centroids, transposeRight: true, into: scores))
          return try backend.read(scores)
        })
    } catch let error as ComputeError {
      throw error
    } catch {
      preconditionFailure("only the backend throws here: \(error)")
    }
  }

  private func read(_ up: TensorView) throws(ComputeError) {
    var failure: ComputeError?
    weights.withUnsafeMutableBytes { bytes in
      do throws(ComputeError) { try backend.copy(from: up, to: bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Puts row `order[i]` of every matrix at row i.
  func reorder(_ matrices: [TensorView], by order: [Int]) throws(ComputeError) {
    try backend.write(order.map(Int32.init), to: indices)
    for matrix in matrices {
      try backend.run(GatherRows(source: matrix, rows: indices, output: rows))
      try backend.copy(from: rows, to: matrix)
    }
  }
}
