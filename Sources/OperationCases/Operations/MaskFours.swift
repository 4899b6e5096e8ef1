import Compute

extension CaseList {
  static var maskFours: [OperationCase] {
    var cases: [OperationCase] = []
    let palette: [Float] = [-1, -0.0, 0, 1, 2, .nan]
    let fours: CaseValues = .floats { _ in
      palette.flatMap { a in
        palette.flatMap { b in palette.flatMap { c in palette.flatMap { d in [a, b, c, d] } } }
      }
    }
    for keep in 1...4 {
      for columns in [4, 8, 20, 68, 516] {
        cases.append(maskFours(rows: 3, columns: columns, keep: keep, sliced: columns == 20))
      }
      cases.append(maskFours(rows: 1296, columns: 4, keep: keep, values: fours))
      cases.append(maskFours(rows: 1, columns: 4 * 1296, keep: keep, values: fours))
    }
    return cases
  }

  static func maskFours(
    rows: Int, columns: Int, keep: Int, values: CaseValues? = nil, sliced: Bool = false
  ) -> OperationCase {
    OperationCase(
      "MaskFours",
      "\(keep) of 4, \(rows) x \(columns)\(values == nil ? "" : ", every pattern")",
      [
        .update(
          "values", rows, columns, values ?? .activations(rows * columns, seed: 1),
          sliced: sliced)
      ], tolerance: .exact,
      make: { MaskFours(values: $0["values"], keep: keep) }, run: { try $0.run($1) },
      reference: { numbers in
        var values = numbers["values"]
        for row in 0..<rows {
          for start in stride(from: 0, to: columns, by: 4) {
            let ranked = ranking((start..<start + 4).map { values[row, $0] })
            for index in ranked.dropFirst(keep) { values[row, start + index] = 0 }
          }
        }
        numbers["values"] = values
      })
  }
}
