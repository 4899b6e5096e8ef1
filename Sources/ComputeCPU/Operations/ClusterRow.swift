/// Clusters in a row in which neighbours share many tokens, see `RouteTokens`.
package struct ClusterRow: Equatable {
  /// The place of every cluster.
  package let places: [Int]

  /// - Parameters:
  ///   - shared: how many tokens have a first cluster as nearest and a second one as second nearest,
  ///     [C, C] row after row.
  ///   - clusters: C, at least 1.
  package init(shared: [Int], clusters: Int) {
    precondition(shared.count == clusters * clusters, "counts for \(clusters) clusters")
    var pairs: [(tokens: Int, first: Int, second: Int)] = []
    for first in 0..<clusters {
      for second in first + 1..<clusters {
        pairs.append(
          (shared[first * clusters + second] + shared[second * clusters + first], first, second))
      }
    }
    pairs.sort {
      ($1.tokens, $0.first ^ $0.second, $0.first) < ($0.tokens, $1.first ^ $1.second, $1.first)
    }
    var neighbours = [[Int]](repeating: [], count: clusters)
    var pieces = Array(0..<clusters)
    for (_, first, second) in pairs
    where pieces[first] != pieces[second] && neighbours[first].count < 2
      && neighbours[second].count < 2
    {
      neighbours[first].append(second)
      neighbours[second].append(first)
      let (kept, joined) = (pieces[first], pieces[second])
      for cluster in 0..<clusters where pieces[cluster] == joined { pieces[cluster] = kept }
    }
    var places = [Int](repeating: 0, count: clusters)
    var before = -1
    var cluster = neighbours.firstIndex { $0.count < 2 }
    for place in 0..<clusters {
      guard let here = cluster else { preconditionFailure("a row without an end") }
      places[here] = place
      cluster = neighbours[here].first { $0 != before }
      before = here
    }
    self.places = places
  }
}
