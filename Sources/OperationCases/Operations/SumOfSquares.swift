import Compute

extension CaseList {
  static var sumOfSquares: [OperationCase] {
    [(1, 1), (1, 31), (3, 33), (7, 65), (2, 1000), (1, 65537)].flatMap { rows, columns in
      [false, true].map { sumOfSquares(rows: rows, columns: columns, sliced: $0) }
    }
  }

  static func sumOfSquares(rows: Int, columns: Int, sliced: Bool = false) -> OperationCase {
    OperationCase(
      "SumOfSquares", "\(rows) x \(columns)\(sliced ? ", sliced" : "")",
      [
        .input("values", rows, columns, .normal(rows * columns, seed: 1), sliced: sliced),
        .output("result", 1, 1, alwaysFloat32: true),
      ],
      tolerance: Tolerance(
        roundings: 2, magnitude: 0.01, reason: "summed in double precision, rounded once"),
      make: { SumOfSquares(values: $0["values"], result: $0["result"]) },
      run: { try $0.run($1) },
      reference: { numbers in
        numbers["result"].values = [numbers["values"].values.reduce(0) { $0 + $1 * $1 }]
      })
  }
}
