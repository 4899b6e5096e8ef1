import Compute

extension CaseList {
  static var moveCentroids: [OperationCase] {
    var cases: [OperationCase] = []
    for clusters in [1, 2, 5, 17, 65] {
      for tokens in [1, 7, 33, 300] {
        let width = [8, 72, 5, 260][(clusters + tokens) % 4]
        for slicing in [.none, .odd, .aligned] as [CaseSlicing] {
          cases.append(
            moveCentroids(
              tokens: tokens, clusters: clusters, width: width, fewest: [0, 1, 4][tokens % 3],
              slicing: slicing))
          cases.append(
            moveCentroids(
              tokens: tokens, clusters: clusters, width: width, fewest: [0, 1, 4][tokens % 3],
              withNaN: true, slicing: slicing))
        }
      }
    }
    // Rows without a direction: all are nearest to the first centroid, and every one stays.
    cases.append(moveCentroids(tokens: 20, clusters: 3, width: 8, fewest: 2, isZero: true))
    return cases
  }

  /// Inputs and centroids of few small values: scores and sums are exact whatever their order, and ties
  /// abound; only the length is rounded.
  static func moveCentroids(
    tokens: Int, clusters: Int, width: Int, fewest: Int, isZero: Bool = false,
    withNaN: Bool = false, slicing: CaseSlicing = .none
  ) -> OperationCase {
    let rows: CaseValues =
      isZero ? .zeros(tokens * width) : .fewSmallValues(tokens * width, seed: 1, withNaN: withNaN)
    return OperationCase(
      "MoveCentroids",
      "\(tokens) x \(width) to \(clusters), fewest \(fewest)\(isZero ? ", zero" : "")"
        + (withNaN ? ", NaN" : "")
        + (slicing == .none ? "" : ", sliced \(slicing)"),
      [
        .input("input", tokens, width, rows, slicing: slicing),
        .input(
          "centroids", clusters, width, .fewSmallValues(clusters * width, seed: 2),
          slicing: slicing),
        .work("scores", tokens, clusters),
        .output("moved", clusters, width, slicing: slicing),
      ],
      tolerance: Tolerance(
        roundings: 8 + Double(width).squareRoot(), reason: "a length, and a division by it"),
      make: {
        MoveCentroids(
          input: $0["input"], centroids: $0["centroids"], fewestRows: fewest,
          scores: $0["scores"], moved: $0["moved"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let input = numbers["input"]
        let centroids = numbers["centroids"]
        let nearest = (0..<tokens).map { clusterRanking(input, $0, centroids, clusters, width)[0] }
        for cluster in 0..<clusters {
          var own = (0..<tokens).filter { nearest[$0] == cluster }
          if own.count < fewest { own = [cluster * tokens / clusters] }
          let sum = (0..<width).map { column in own.reduce(0) { $0 + input[$1, column] } }
          let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
          let hasDirection = length > 0 && length.isFinite
          for column in 0..<width {
            numbers.add(
              hasDirection ? sum[column] / length : centroids[cluster, column], to: "moved",
              cluster,
              column)
          }
        }
      })
  }
}
