import Compute

extension CaseList {
  static var alignColumns: [OperationCase] {
    [
      alignColumns(blocks: 1, neurons: 5, kept: 3, chain: 4),
      alignColumns(blocks: 7, neurons: 12, kept: 7, chain: 3),
      alignColumns(blocks: 6, neurons: 9, kept: 9, chain: 16),
      alignColumns(blocks: 5, neurons: 300, kept: 1, chain: 5),
      alignColumns(blocks: 9, neurons: 700, kept: 513, chain: 4, sliced: true),
      alignColumns(blocks: 4, neurons: 3000, kept: 1100, chain: 2),
      alignColumns(blocks: 9, neurons: 5000, kept: 2500, chain: 9),
      alignColumns(blocks: 3, neurons: 9000, kept: 4100, chain: 3),
      alignColumns(blocks: 3, neurons: 130, kept: 40, chain: 1),
      alignColumns(blocks: 33, neurons: 65536, kept: 64, chain: 16),
    ]
  }

  static func alignColumns(
    blocks: Int, neurons: Int, kept: Int, chain: Int, sliced: Bool = false
  ) -> OperationCase {
    OperationCase(
      "AlignColumns", "\(blocks) lists of \(kept) of \(neurons), chains of \(chain)",
      [
        .update(
          "columns", blocks, kept,
          .columnLists(blocks: blocks, neurons: neurons, kept: kept, seed: 12), sliced: sliced)
      ], tolerance: .exact,
      make: { AlignColumns(columns: $0["columns"], chain: chain) }, run: { try $0.run($1) },
      reference: { numbers in
        var columns = numbers["columns"]
        for block in 0..<blocks where block % chain > 0 {
          var waiting = (0..<kept).map { columns.int(block, $0) }
          let before = (0..<kept).map { columns.int(block - 1, $0) }
          // First who stays, then who comes: written as the definition says it.
          let stays = before.map(waiting.contains)
          waiting.removeAll(where: before.contains)
          for slot in 0..<kept {
            columns[block, slot] = Double(stays[slot] ? before[slot] : waiting.removeFirst())
          }
        }
        numbers["columns"] = columns
      })
  }
}
