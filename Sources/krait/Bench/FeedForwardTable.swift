import FeedForward

/// What `krait bench ffn` found of one variant.
struct FeedForwardRow {
  let name: String
  /// Of a forward and a backward pass, in every round.
  let seconds: [Double]
  let timesDense: Double
  /// Kept between forward and backward.
  let keptBytes: Int
  /// Of a forward pass; nil for a dense network.
  let sparsity: LayerSparsity?
  /// The operations in the order of running; empty when nobody asked.
  let parts: [OperationTimes.Part]

  /// For JSON.
  func fields(suffix: String) -> [(name: String, value: JSONReport.Value)] {
    [
      ("name", .text(name + suffix)), ("seconds", .numbers(seconds)),
      ("energyKept", .numbers(sparsity.map { [$0.energyKept] } ?? [])),
      ("listChange", .numbers(sparsity.map { [$0.listChange] } ?? [])),
      ("parts", .object(parts.map { ($0.name, $0.seconds.median) })),
    ]
  }
}

/// Tables of `krait bench ffn`.
enum FeedForwardTable {
  /// Variants below each other; `flops` are those of a dense network.
  static func text(_ rows: [FeedForwardRow], flops: Double) -> String {
    var table = TextTable([
      "variant", "ms", "times dense", "GFLOP/s dense-equivalent", "kept MiB", "energy kept",
      "list change",
    ])
    for row in rows {
      let seconds = row.seconds.median
      table.add([
        row.name, fixed(seconds * 1e3, 3), fixed(row.timesDense, 2),
        fixed(flops / seconds * 1e-9, 0), fixed(Double(row.keptBytes) / 1_048_576, 1),
        fixed(row.sparsity?.energyKept ?? 1, 3),
        row.sparsity.map { fixed($0.listChange, 3) } ?? "-",
      ])
    }
    return table.text
  }

  /// The operations of a variant below each other.
  static func parts(_ row: FeedForwardRow) -> String {
    let whole = row.parts.reduce(0) { $0 + $1.seconds.median }
    var table = TextTable([row.name, "ms", "share"])
    for part in row.parts {
      let seconds = part.seconds.median
      table.add([part.name, fixed(seconds * 1e3, 3), fixed(100 * seconds / whole, 1) + " %"])
    }
    table.add(["all", fixed(whole * 1e3, 3), ""])
    return table.text
  }
}
