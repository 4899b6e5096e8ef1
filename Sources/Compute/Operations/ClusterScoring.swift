/// An operation on the scores of tokens for clusters: a token's row times a cluster's centroid, in float32.
///
/// Shapes: input [T, d], centroids [C, d], scores float32 [T, C]: room for a backend that stores them.
public protocol ClusterScoring: Operation {
  var input: TensorView { get }
  var centroids: TensorView { get }
  var scores: TensorView { get }
}

extension ClusterScoring {
  /// The product that gives the scores.
  public var product: MatrixMultiply {
    MatrixMultiply(input, centroids, transposeRight: true, into: scores)
  }

  public var flops: Double {
    2 * Double(input.rows) * Double(input.columns) * Double(centroids.rows)
  }

  /// Stops with a sentence where the three do not fit each other.
  func checkScores() {
    require(scores, .float32, "scores")
    require(scores.rows, input.rows, "rows of scores")
    require(scores.columns, centroids.rows, "clusters")
    require(centroids.columns, input.columns, "width")
  }
}
