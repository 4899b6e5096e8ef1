import Compute

extension CaseList {
  static var placeClusters: [OperationCase] {
    [1, 2, 5, 48, 64, 65, 192].flatMap { clusters in
      [1, 33, 300].map { tokens in
        placeClusters(
          tokens: tokens, clusters: clusters, width: [8, 72, 5][(clusters + tokens) % 3])
      }
    }
  }

  /// Few small values, as for `RouteTokens`.
  static func placeClusters(tokens: Int, clusters: Int, width: Int) -> OperationCase {
    OperationCase(
      "PlaceClusters", "\(tokens) x \(clusters), width \(width)",
      [
        .input("input", tokens, width, .fewSmallValues(tokens * width, seed: 1)),
        .input("centroids", clusters, width, .fewSmallValues(clusters * width, seed: 2)),
        .work("scores", tokens, clusters),
        .output("places", 1, clusters, .int32),
      ], tolerance: .exact,
      make: {
        PlaceClusters(
          input: $0["input"], centroids: $0["centroids"], scores: $0["scores"],
          places: $0["places"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let nearest = twoNearest(numbers["input"], tokens, numbers["centroids"], clusters, width)
        let row = clusterRow(nearest, clusters: clusters)
        numbers["places"].values = (0..<clusters).map { Double(row.firstIndex(of: $0) ?? 0) }
      })
  }
}
