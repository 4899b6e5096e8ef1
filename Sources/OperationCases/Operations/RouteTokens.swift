import Compute

extension CaseList {
  static var routeTokens: [OperationCase] {
    var cases: [OperationCase] = []
    for clusters in [1, 2, 3, 5, 16, 17, 48] {
      for tokens in [1, 2, 7, 33, 300] {
        let width = [8, 72, 5][(clusters + tokens) % 3]
        cases.append(routeTokens(tokens: tokens, clusters: clusters, width: width))
        for slicing in [.odd, .aligned] as [CaseSlicing] {
          cases.append(
            routeTokens(
              tokens: tokens, clusters: clusters, width: width, withNaN: true, slicing: slicing))
        }
      }
    }
    // On either side of the 64 clusters that one kernel can take, see ClusterRow.cu.
    for clusters in [64, 65] {
      for tokens in [33, 300] {
        cases.append(routeTokens(tokens: tokens, clusters: clusters, width: 8))
      }
    }
    return cases
  }

  /// Inputs and centroids of few small values: sums are exact whatever their order, and ties abound.
  static func routeTokens(
    tokens: Int, clusters: Int, width: Int = 8, withNaN: Bool = false,
    slicing: CaseSlicing = .none
  ) -> OperationCase {
    OperationCase(
      "RouteTokens",
      "\(tokens) x \(clusters), width \(width)\(withNaN ? ", NaN, sliced \(slicing)" : "")",
      [
        .input(
          "input", tokens, width, .fewSmallValues(tokens * width, seed: 1, withNaN: withNaN),
          slicing: slicing),
        .input(
          "centroids", clusters, width,
          .fewSmallValues(clusters * width, seed: 2, withNaN: withNaN),
          slicing: slicing),
        .work("scores", tokens, clusters),
        .output("order", 1, tokens, .int32),
      ], tolerance: .exact,
      make: {
        RouteTokens(
          input: $0["input"], centroids: $0["centroids"], scores: $0["scores"],
          order: $0["order"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let input = numbers["input"]
        let centroids = numbers["centroids"]
        let nearest = (0..<tokens).map { token in
          let ranked = clusterRanking(input, token, centroids, clusters, width)
          return (ranked[0], clusters > 1 ? ranked[1] : 0)
        }
        let row = clusterRow(nearest, clusters: clusters)
        let places = (0..<clusters).map { row.firstIndex(of: $0) ?? 0 }
        let keys = nearest.map { first, second in
          places[first] * clusters + (places[first] - places[second] + clusters) % clusters
        }
        // Equal keys stay in token order.
        let order = (0..<tokens).sorted { (keys[$0], $0) < (keys[$1], $1) }
        numbers["order"].values = order.map(Double.init)
      })
  }

  /// Clusters by how near a token is to them, the nearest first.
  static func clusterRanking(
    _ input: CaseMatrix, _ token: Int, _ centroids: CaseMatrix, _ clusters: Int, _ width: Int
  ) -> [Int] {
    ranking(
      (0..<clusters).map { cluster in
        (0..<width).reduce(0) { $0 + input[token, $1] * centroids[cluster, $1] }
      })
  }

  /// The row of clusters as it is told: pieces, and the two ends that share most, again and again.
  private static func clusterRow(_ nearest: [(Int, Int)], clusters: Int) -> [Int] {
    guard clusters <= RouteTokens.longestRow else { return Array(0..<clusters) }
    var shared: [[Int]: Int] = [:]
    for (first, second) in nearest {
      shared[[min(first, second), max(first, second)], default: 0] += 1
    }
    var pieces = (0..<clusters).map { [$0] }
    while pieces.count > 1 {
      var best = (tokens: -1, first: 0, second: 0)
      let ends = pieces.flatMap { Set([$0[0], $0[$0.count - 1]]) }.sorted()
      let home = Dictionary(
        uniqueKeysWithValues: pieces.enumerated().flatMap { index, piece in
          piece.map { ($0, index) }
        })
      for first in ends {
        for second in ends where second > first && home[first] != home[second] {
          let tokens = shared[[first, second]] ?? 0
          let isAhead =
            tokens != best.tokens
            ? tokens > best.tokens
            : (first ^ second, first) < (best.first ^ best.second, best.first)
          if isAhead { best = (tokens, first, second) }
        }
      }
      guard let one = home[best.first], let other = home[best.second] else { return [] }
      var left = pieces[one]
      var right = pieces[other]
      if left[left.count - 1] != best.first { left.reverse() }
      if right[0] != best.second { right.reverse() }
      pieces[one] = left + right
      pieces.remove(at: other)
    }
    let row = pieces[0]
    return row[0] > row[row.count - 1] ? row.reversed() : row
  }
}

extension CaseValues {
  /// Few values that come often, and now and then one that is no number.
  static func fewSmallValues(_ count: Int, seed: Int, withNaN: Bool = false) -> CaseValues {
    .floats { most in
      let palette: [Float] = [0, -0.0, -1, 0.5, 1, 1, 2]
      let odd: [Float] = [.nan, .infinity, -.infinity]
      var random = CaseRandom(seed)
      return (0..<min(count, most)).map { _ in
        let isOdd = withNaN && random.below(97) == 0
        return isOdd ? odd[random.below(odd.count)] : palette[random.below(palette.count)]
      }
    }
  }
}
