import ComputeCPU
import Testing

/// Clusters stand beside those that they share tokens with.
@Suite struct ClusterRowTests {
  /// The clusters in their row, from how many tokens pairs of them share.
  private func row(_ clusters: Int, _ shared: [(Int, Int, tokens: Int)]) -> [Int] {
    var counts = [Int](repeating: 0, count: clusters * clusters)
    for (first, second, tokens) in shared { counts[first * clusters + second] += tokens }
    let places = ClusterRow(shared: counts, clusters: clusters).places
    return places.indices.sorted { places[$0] < places[$1] }
  }

  @Test func bothOrdersOfAPairCount() {
    #expect(row(3, [(0, 1, 5), (1, 2, 3), (2, 1, 3)]) == [0, 1, 2])
    #expect(row(3, [(0, 1, 5), (0, 2, 4), (1, 2, 3)]) == [1, 0, 2])
    #expect(row(3, [(0, 1, 5), (0, 2, 4), (1, 2, 3), (2, 1, 3)]) == [0, 1, 2])
  }

  @Test func piecesAreJoinedAtTheirEnds() {
    // 3-0 and 1-4 come first; 0-1 joins them; 2 prefers 0, which lies inside by then.
    #expect(
      row(5, [(0, 3, 9), (1, 4, 8), (0, 1, 7), (0, 2, 6), (4, 2, 1)]) == [2, 4, 1, 0, 3])
  }

  @Test func ringsStayOpen() {
    #expect(
      row(4, [(0, 1, 9), (1, 2, 8), (2, 3, 7), (3, 0, 6)]) == [0, 1, 2, 3])
  }

  @Test func tiesGoToTheLowerExclusiveOr() {
    #expect(row(1, []) == [0])
    #expect(row(2, [(1, 0, 3)]) == [0, 1])
    // 0-1 and 2-3, then 0-2, then 1-4.
    #expect(row(5, []) == [3, 2, 0, 1, 4])
    #expect(row(3, [(1, 1, 9)]) == [1, 0, 2])
  }
}
