/// One round of spherical k-means of rows: every centroid moves to the mean direction of the rows that
/// are nearest to it.
///
/// A row's nearest centroid has the largest product with it, in float32; ties to the lower index, NaN
/// last. What a centroid becomes is the sum of its rows in float32, divided by its length. A
/// centroid with fewer than `fewestRows` rows begins anew at the row `⌊cluster · T / C⌋`, divided by its
/// length. One that would have no direction, because that length is zero or not finite, stays.
///
/// Shapes: input [T, d], centroids and moved [C, d], other memory than each other; scores float32
/// [T, C]: room for a backend that stores them.
public struct MoveCentroids: ClusterScoring {
  public var input: TensorView
  public var centroids: TensorView
  public var fewestRows: Int
  public var scores: TensorView
  public var moved: TensorView

  /// See the type.
  public init(
    input: TensorView, centroids: TensorView, fewestRows: Int, scores: TensorView,
    moved: TensorView
  ) {
    self.input = input
    self.centroids = centroids
    self.fewestRows = fewestRows
    self.scores = scores
    self.moved = moved
  }

  public func checkShapes() {
    checkScores()
    require(moved.rows, centroids.rows, "moved centroids")
    require(moved.columns, centroids.columns, "width of moved centroids")
    precondition(
      centroids.rows >= 1 && input.rows >= 1, "MoveCentroids: no clusters or no rows")
  }

  public var bytes: Double { size(input, centroids, moved) }

  /// The row that a centroid begins anew at.
  public func freshRow(of cluster: Int) -> Int { cluster * input.rows / centroids.rows }
}
