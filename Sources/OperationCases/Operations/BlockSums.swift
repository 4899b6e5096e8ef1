import Compute

extension CaseList {
  static var blockSums: [OperationCase] {
    var cases: [OperationCase] = []
    for (rows, block) in [(1, 1), (5, 2), (8, 4), (9, 128), (33, 16)] {
      for columns in [1, 7, 16, 33, 1030] {
        for sliced in [false, true] {
          for squares in [false, true] {
            cases.append(
              blockSums(
                rows: rows, columns: columns, blockRows: block, squares: squares, sliced: sliced))
          }
        }
      }
    }
    return cases
  }

  static func blockSums(
    rows: Int, columns: Int, blockRows: Int, squares: Bool = false, sliced: Bool = false
  ) -> OperationCase {
    let blocks = (rows + blockRows - 1) / blockRows
    return OperationCase(
      "BlockSums",
      "\(rows) x \(columns) by \(blockRows)\(squares ? ", squares" : "")\(sliced ? ", sliced" : "")",
      [
        .input("values", rows, columns, .activations(rows * columns, seed: 1), sliced: sliced),
        .output("sums", blocks, columns, sliced: sliced, alwaysFloat32: true),
      ],
      tolerance: .sum(of: min(rows, blockRows)),
      make: {
        BlockSums(
          values: $0["values"], blockRows: blockRows, squares: squares, sums: $0["sums"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let values = numbers["values"]
        for row in 0..<rows {
          for column in 0..<columns {
            let value = values[row, column]
            numbers.add(squares ? value * value : value, to: "sums", row / blockRows, column)
          }
        }
      })
  }
}
