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
    // On either side of what kernels take, see ClusterRow.cu and hopper/route_tokens.cu.
    for clusters in [64, 65, 128, 129, 192, 193] {
      for tokens in [33, 300] {
        cases.append(routeTokens(tokens: tokens, clusters: clusters, width: 8))
        cases.append(routeTokens(tokens: tokens, clusters: clusters, width: 72, isPlaced: true))
      }
    }
    for (tokens, clusters) in [(1, 1), (7, 2), (300, 5), (300, 48), (33, 256)] {
      for slicing in [.none, .odd, .aligned] as [CaseSlicing] {
        cases.append(
          routeTokens(
            tokens: tokens, clusters: clusters, width: 72, isPlaced: true,
            withNaN: slicing != .none, slicing: slicing))
      }
    }
    return cases
  }

  /// Inputs and centroids of few small values: sums are exact whatever their order, and ties abound.
  static func routeTokens(
    tokens: Int, clusters: Int, width: Int = 8, isPlaced: Bool = false,
    withNaN: Bool = false, slicing: CaseSlicing = .none
  ) -> OperationCase {
    let places: [CaseTensor] =
      isPlaced ? [.input("places", 1, clusters, .permutation(clusters, seed: 3))] : []
    // Blocks that tokens fill, that they do not, of fewer tokens than marks, and of more than there are.
    let block = tokens > 1000 ? 128 : [1, 3, 8, 32, 128][(2 * clusters + tokens + width) % 5]
    let blocks = (tokens + block - 1) / block
    return OperationCase(
      "RouteTokens",
      "\(tokens) x \(clusters)\(isPlaced ? " placed" : ""), marks for \(block), width \(width)"
        + (withNaN ? ", NaN, sliced \(slicing)" : ""),
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
        .output("marks", blocks, BlockMarks.perBlock, .int32),
      ] + places, tolerance: .exact,
      make: {
        RouteTokens(
          input: $0["input"], centroids: $0["centroids"], scores: $0["scores"],
          order: $0["order"], places: isPlaced ? $0["places"] : nil,
          marks: BlockMarks(clusters: $0["marks"], blockTokens: block))
      }, run: { try $0.run($1) },
      reference: { numbers in
        let nearest = twoNearest(numbers["input"], tokens, numbers["centroids"], clusters, width)
        let row = isPlaced ? [] : clusterRow(nearest, clusters: clusters)
        let places = (0..<clusters).map {
          isPlaced ? Int(numbers["places"][0, $0]) : row.firstIndex(of: $0) ?? 0
        }
        let keys = nearest.map { first, second in
          let steps = (places[first] - places[second] + clusters) % clusters
          return places[first] * clusters
            + (isPlaced && clusters > 64 ? steps * (4096 / clusters) / clusters : steps)
        }
        // Equal keys stay in token order.
        let order = (0..<tokens).sorted { (keys[$0], $0) < (keys[$1], $1) }
        numbers["order"].values = order.map(Double.init)
        numbers["marks"].values = (0..<blocks).flatMap { first in
          [1, 3, 5, 7].map { eighths in
            Double(nearest[order[min(tokens - 1, first * block + eighths * block / 8)]].0)
          }
        }
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

  /// The nearest and the second nearest cluster of every token.
  static func twoNearest(
    _ input: CaseMatrix, _ tokens: Int, _ centroids: CaseMatrix, _ clusters: Int, _ width: Int
  ) -> [(Int, Int)] {
    (0..<tokens).map { token in
      let ranked = clusterRanking(input, token, centroids, clusters, width)
      return (ranked[0], clusters > 1 ? ranked[1] : 0)
    }
  }

  /// The row of clusters as it is told: pieces, and the two ends that share most, again and again.
  static func clusterRow(_ nearest: [(Int, Int)], clusters: Int) -> [Int] {
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
