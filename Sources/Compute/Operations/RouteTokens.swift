/// Sorts tokens by the two clusters they are nearest to, so that neighbours need the same neurons.
///
/// A token's score for a cluster is its row times the cluster's centroid, in float32. Its two
/// clusters are the nearest and the second nearest by score, ties to the lower index, NaN last.
///
/// Clusters stand in a row in which neighbours share many tokens: pairs of clusters are taken in the
/// order of falling numbers of tokens that have these two, and two are joined that still are ends of
/// different pieces of the row. Ties go to the lower exclusive or of the two indices, then to the
/// lower index, so that many can be joined at once. Of the whole row's ends the one of lower index
/// is its beginning. More than `longestRow` clusters stand in the order of their indices. With `places`
/// clusters stand where those say, see `PlaceClusters`: many are not put in a row for every call.
///
/// Tokens are sorted by the place of their nearest cluster, then by how many places their second
/// nearest stands before it, going on from the end where the row begins; equal ones stay in order. With
/// places of more than 64 clusters, steps are told from each other only in so many levels that there are
/// `mostKeys` keys at most, `⌊steps · levels / C⌋`.
/// So a cluster begins with tokens that are near to the cluster before it and ends with those that
/// are near to the next.
///
/// Shapes: input [T, d], centroids [C, d], order int32 [1, T] (position → token), scores float32
/// [T, C]: room for a backend that stores them; marks as they say.
public struct RouteTokens: ClusterScoring {
  public var input: TensorView
  public var centroids: TensorView
  public var scores: TensorView
  public var order: TensorView
  /// Where clusters stand, int32 [1, C], or nil for where these tokens put them.
  public var places: TensorView?
  /// Where the clusters of every block's tokens are wanted.
  public var marks: BlockMarks?

  /// The most clusters that are put in a row; the keys of their pairs fit 16 bits.
  public static let longestRow = 256
  /// With places, the most pairs of a place and a level: a sort by as many keys is one round of a GPU.
  public static let mostKeys = 4096

  /// See the type.
  public init(
    input: TensorView, centroids: TensorView, scores: TensorView, order: TensorView,
    places: TensorView? = nil, marks: BlockMarks? = nil
  ) {
    self.places = places
    self.marks = marks
    self.input = input
    self.centroids = centroids
    self.scores = scores
    self.order = order
  }

  public func checkShapes() {
    require(order, .int32, "order")
    require(order.count, input.rows, "tokens")
    checkScores()
    precondition(centroids.rows >= 1, "RouteTokens: no clusters")
    if let places {
      require(places, .int32, "places")
      require(places.count, centroids.rows, "placed clusters")
      precondition(
        centroids.rows <= RouteTokens.longestRow, "RouteTokens: places of too many clusters")
    }
    marks?.checkShapes(tokens: input.rows)
  }

  public var bytes: Double { size(input, centroids, order) }

  /// Into how many levels steps are cut with places.
  public var levels: Int { min(centroids.rows, RouteTokens.mostKeys / centroids.rows) }
}
