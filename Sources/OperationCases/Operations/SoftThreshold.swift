import Compute

extension CaseList {
  static var softThreshold: [OperationCase] {
    var cases: [OperationCase] = []
    for columns in [4, 8, 12, 36, 68] {
      for sliced in [false, true] {
        cases.append(softThreshold(rows: 3, columns: columns, sliced: sliced))
        cases.append(softThresholdMoments(rows: 3, columns: columns, sliced: sliced))
      }
    }
    cases.append(fours(scale: 1))
    cases.append(fours(scale: 1.5))
    return cases
  }

  /// Every group of four over signs, zeros and ties.
  private static func fours(scale: Float) -> OperationCase {
    let palette: [Float] = [-2, -1, -0.0, 0, 1, 2, 3]
    let values: CaseValues = .floats { _ in
      palette.flatMap { a in
        palette.flatMap { b in palette.flatMap { c in palette.flatMap { d in [a, b, c, d] } } }
      }
    }
    return softThreshold(rows: 2401, columns: 4, scale: scale, values: values)
  }

  static func softThreshold(
    rows: Int, columns: Int, sliced: Bool = false, scale: Float = 1.25,
    values: CaseValues? = nil
  ) -> OperationCase {
    OperationCase(
      "SoftThreshold",
      "\(rows) x \(columns), scale \(scale)\(sliced ? ", sliced" : "")",
      [
        .input(
          "weights", rows, columns, values ?? .normal(rows * columns, seed: 1), sliced: sliced),
        .output("output", rows, columns, sliced: sliced),
      ],
      tolerance: Tolerance(roundings: 3, magnitude: 0.1, reason: "a difference and a product"),
      make: { SoftThreshold(weights: $0["weights"], output: $0["output"], scale: scale) },
      run: { try $0.run($1) },
      reference: { numbers in
        let shrunk = thresholded(numbers["weights"])
        numbers["output"].fill { Double(scale) * shrunk[$0, $1] }
      })
  }

  static func softThresholdMoments(
    rows: Int, columns: Int, sliced: Bool = false
  ) -> OperationCase {
    OperationCase(
      "SoftThresholdMoments", "\(rows) x \(columns)\(sliced ? ", sliced" : "")",
      [
        .input("weights", rows, columns, .normal(rows * columns, seed: 1), sliced: sliced),
        .output("result", 1, 2, alwaysFloat32: true),
      ],
      tolerance: Tolerance(
        roundings: 8, magnitude: 0.1, reason: "float32 differences summed in double precision"),
      make: { SoftThresholdMoments(weights: $0["weights"], result: $0["result"]) },
      run: { try $0.run($1) },
      reference: { numbers in
        let w = numbers["weights"].values
        let s = thresholded(numbers["weights"]).values
        numbers["result"].values = [
          zip(w, s).reduce(0) { $0 + $1.0 * $1.1 }, s.reduce(0) { $0 + $1 * $1 },
        ]
      })
  }

  /// S(w): magnitudes less the second smallest of their four, by sorting.
  static func thresholded(_ weights: CaseMatrix) -> CaseMatrix {
    var result = weights
    for row in 0..<weights.rows {
      for start in stride(from: 0, to: weights.columns, by: 4) {
        let threshold = (0..<4).map { abs(weights[row, start + $0]) }.sorted()[1]
        for column in start..<start + 4 {
          let w = weights[row, column]
          result[row, column] = max(abs(w) - threshold, 0) * (w < 0 ? -1 : 1)
        }
      }
    }
    return result
  }
}
