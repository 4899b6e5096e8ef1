/// Puts clusters in a row in which neighbours share many tokens, as `RouteTokens` tells it, and says where
/// each stands.
///
/// Shapes: input [T, d], centroids [C, d], C at most `RouteTokens.longestRow`, scores float32 [T, C]: room for
/// a backend that stores them; places int32 [1, C] (cluster → place).
public struct PlaceClusters: ClusterScoring {
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
    checkScores()
    require(places, .int32, "places")
    require(places.count, centroids.rows, "places of clusters")
    precondition(
      centroids.rows >= 1 && centroids.rows <= RouteTokens.longestRow && input.rows >= 1,
      "PlaceClusters: no tokens, or \(centroids.rows) clusters of \(RouteTokens.longestRow) at most"
    )
  }

  public var bytes: Double { size(input, centroids, places) }
}
