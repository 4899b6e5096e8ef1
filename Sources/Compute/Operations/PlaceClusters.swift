/// Puts clusters in a row in which neighbours share many tokens, as `RouteTokens` tells it, and says where
/// each stands.
///
/// Shapes: input [T, d], centroids [C, d], C at most `RouteTokens.longestRow`, scores float32 [T, C]: room for
/// a backend that stores them; places int32 [1, C] (cluster → place).
public struct PlaceClusters: Operation {
  public var input: TensorView
  public var centroids: TensorView
  public var scores: TensorView
  public var places: TensorView

  /// See the type.
  public init(
    input: TensorView, centroids: TensorView, scores: TensorView, places: TensorView
  ) {
    self.input = input
    self.centroids = centroids
    self.scores = scores
    self.places = places
  }

  public func checkShapes() {
    require(scores, .float32, "scores")
    require(scores.rows, input.rows, "rows of scores")
    require(scores.columns, centroids.rows, "clusters")
    require(centroids.columns, input.columns, "width")
    require(places, .int32, "places")
    require(places.count, centroids.rows, "places of clusters")
    precondition(
      centroids.rows >= 1 && centroids.rows <= RouteTokens.longestRow && input.rows >= 1,
      "PlaceClusters: no tokens, or \(centroids.rows) clusters of \(RouteTokens.longestRow) at most"
    )
  }

  public var flops: Double {
    2 * Double(input.rows) * Double(input.columns) * Double(centroids.rows)
  }
  public var bytes: Double { size(input, centroids, places) }

  /// The product that gives the scores.
  public var product: MatrixMultiply {
    MatrixMultiply(input, centroids, transposeRight: true, into: scores)
  }
}
