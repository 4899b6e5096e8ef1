/// Sorts tokens by the two clusters they are nearest to, so that neighbours need the same neurons.
///
/// A token's score for a cluster is its row times the cluster's centroid, in float32. Its key is
/// (nearest, second nearest) cluster by score, ties to the lower index, NaN last; the sort is
/// stable. Shapes: input [T, d], centroids [C, d], order int32 [1, T] (position → token), scores
/// float32 [T, C]: room for a backend that stores them.
public struct RouteTokens: Operation {
  public var input: TensorView
  public var centroids: TensorView
  public var scores: TensorView
  public var order: TensorView

  /// See the type.
  public init(
    input: TensorView, centroids: TensorView, scores: TensorView, order: TensorView
  ) {
    self.input = input
    self.centroids = centroids
    self.scores = scores
    self.order = order
  }

  public func checkShapes() {
    require(order, .int32, "order")
    require(order.count, input.rows, "tokens")
    require(scores, .float32, "scores")
    require(scores.rows, input.rows, "rows of scores")
    require(scores.columns, centroids.rows, "clusters")
    require(centroids.columns, input.columns, "width")
    precondition(centroids.rows >= 1, "RouteTokens: no clusters")
  }

  public var flops: Double {
    2 * Double(input.rows) * Double(input.columns) * Double(centroids.rows)
  }
  public var bytes: Double { size(input, centroids, order) }

  /// The product that gives the scores.
  public var product: MatrixMultiply {
    MatrixMultiply(input, centroids, transposeRight: true, into: scores)
  }
}
