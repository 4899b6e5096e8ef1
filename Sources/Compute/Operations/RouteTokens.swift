/// Sorts tokens by the two clusters they are nearest to, so that neighbours need the same neurons.
///
/// A token's score for a cluster is its row times the cluster's centroid, in float32. Its two
/// clusters are the nearest and the second nearest by score, ties to the lower index, NaN last.
///
/// Clusters stand in a row in which neighbours share many tokens: pairs of clusters are taken in the
/// order of falling numbers of tokens that have these two, and two are joined that still are ends of
/// different pieces of the row. Ties go to the lower exclusive or of the two indices, then to the
/// lower index, so that many can be joined at once. Of the whole row's ends the one of lower index
/// is its beginning. More than `longestRow` clusters stand in the order of their indices.
///
/// Tokens are sorted by the place of their nearest cluster, then by how many places their second
/// nearest stands before it, going on from the end where the row begins; equal ones stay in order.
/// So a cluster begins with tokens that are near to the cluster before it and ends with those that
/// are near to the next.
///
/// Shapes: input [T, d], centroids [C, d], order int32 [1, T] (position → token), scores float32
/// [T, C]: room for a backend that stores them.
public struct RouteTokens: Operation {
  public var input: TensorView
  public var centroids: TensorView
  public var scores: TensorView
  public var order: TensorView

  /// The most clusters that are put in a row; the keys of their pairs fit 16 bits.
  public static let longestRow = 256

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
