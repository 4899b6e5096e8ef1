import Compute

extension CaseList {
  static var routeTokens: [OperationCase] {
    var cases: [OperationCase] = []
    for clusters in [1, 2, 3, 5, 16, 17, 48] {
      for tokens in [1, 2, 7, 33, 300] {
        cases.append(routeTokens(tokens: tokens, clusters: clusters))
        cases.append(
          routeTokens(
            tokens: tokens, clusters: clusters, .ties(tokens * clusters, seed: 2), "ties"))
        cases.append(
          routeTokens(
            tokens: tokens, clusters: clusters,
            .ties(tokens * clusters, seed: 3, withNaN: true), "NaN", sliced: true))
      }
    }
    return cases
  }

  static func routeTokens(
    tokens: Int, clusters: Int, _ values: CaseValues? = nil, _ note: String = "random",
    sliced: Bool = false
  ) -> OperationCase {
    OperationCase(
      "RouteTokens", "\(tokens) x \(clusters), \(note)",
      [
        .input(
          "scores", tokens, clusters, values ?? .normal(tokens * clusters, seed: 1),
          sliced: sliced, alwaysFloat32: true),
        .output("order", 1, tokens, .int32),
      ], tolerance: .exact,
      make: { RouteTokens(scores: $0["scores"], order: $0["order"]) }, run: { try $0.run($1) },
      reference: { numbers in
        let scores = numbers["scores"]
        let keys = (0..<tokens).map { token in
          let ranked = ranking((0..<clusters).map { scores[token, $0] })
          return ranked[0] * clusters + (clusters > 1 ? ranked[1] : 0)
        }
        // Equal keys stay in token order.
        let order = (0..<tokens).sorted { (keys[$0], $0) < (keys[$1], $1) }
        numbers["order"].values = order.map(Double.init)
      })
  }
}
