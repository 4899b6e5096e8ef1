import Compute

extension CaseList {
  static var gatherRows: [OperationCase] {
    [(1, 1, 1), (3, 7, 5), (9, 4, 33), (5, 300, 2)].flatMap { sources, rows, columns in
      [.none, .odd].map {
        gatherRows(sources: sources, rows: rows, columns: columns, slicing: $0)
      }
    }
  }

  static func gatherRows(
    sources: Int, rows: Int, columns: Int, slicing: CaseSlicing = .none
  ) -> OperationCase {
    OperationCase(
      "GatherRows",
      "\(rows) of \(sources) x \(columns)\(slicing == .none ? "" : ", sliced \(slicing)")",
      [
        .input("source", sources, columns, .awkward(sources * columns, seed: 1), slicing: slicing),
        .input("rows", 1, rows, .tokens(rows, below: sources, seed: 2)),
        .output("output", rows, columns, slicing: slicing),
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
