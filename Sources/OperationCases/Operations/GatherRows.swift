import Compute

extension CaseList {
  static var gatherRows: [OperationCase] {
    [(1, 1, 1), (3, 7, 5), (9, 4, 33), (5, 300, 2)].flatMap { sources, rows, columns in
      [false, true].map { gatherRows(sources: sources, rows: rows, columns: columns, sliced: $0) }
    }
  }

  static func gatherRows(
    sources: Int, rows: Int, columns: Int, sliced: Bool = false
  ) -> OperationCase {
    OperationCase(
      "GatherRows", "\(rows) of \(sources) x \(columns)\(sliced ? ", sliced" : "")",
      [
        .input("source", sources, columns, .awkward(sources * columns, seed: 1), sliced: sliced),
        .input("rows", 1, rows, .tokens(rows, below: sources, seed: 2)),
        .output("output", rows, columns, sliced: sliced),
      ], tolerance: .exact,
      make: { GatherRows(source: $0["source"], rows: $0["rows"], output: $0["output"]) },
      run: { try $0.run($1) },
      reference: { numbers in
        let source = numbers["source"]
        let list = numbers["rows"]
        numbers["output"].fill { source[list.int(0, $0), $1] }
      })
  }
}
