import Compute

extension CaseList {
  static var activationStatistics: [OperationCase] {
    [(1, 1), (3, 5), (5, 16), (7, 17), (40, 33)].flatMap { rows, columns in
      [false, true].map { activationStatistics(rows: rows, columns: columns, sliced: $0) }
    }
  }

  static func activationStatistics(
    rows: Int, columns: Int, sliced: Bool = false
  ) -> OperationCase {
    OperationCase(
      "ActivationStatistics", "\(rows) x \(columns)\(sliced ? ", sliced" : "")",
      [
        .input("values", rows, columns, .activations(rows * columns, seed: 1), sliced: sliced),
        .output("result", 1, 3, alwaysFloat32: true),
      ],
      tolerance: Tolerance(
        roundings: 2, magnitude: 0.01, reason: "summed in double precision, rounded once"),
      make: { ActivationStatistics(values: $0["values"], result: $0["result"]) },
      run: { try $0.run($1) },
      reference: { numbers in
        let values = numbers["values"].values
        let positive = values.reduce(0.0) { $0 + ($1 > 0 ? 1 : 0) }
        numbers["result"].values = [
          values.reduce(0, +), values.reduce(0) { $0 + $1 * $1 }, positive / Double(values.count),
        ]
      })
  }
}
