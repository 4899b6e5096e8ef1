import ComputeCUDA

/// The kernels and library calls of one step as a table, the most expensive first.
struct CallTable {
  let text: String

  init(_ costs: [CallCost], name: String) {
    let total = costs.reduce(0) { $0 + $1.seconds }
    var table = TextTable([
      "\(name): kernel or library call", "calls", "ms", "%", "us per call", "TFLOP/s", "GB/s",
    ])
    for cost in costs {
      table.add([
        cost.label, "\(cost.calls)", fixed(cost.seconds * 1e3, 3),
        fixed(100 * cost.seconds / total, 1), fixed(cost.seconds / Double(cost.calls) * 1e6, 1),
        cost.flops > 0 ? fixed(cost.flops / cost.seconds * 1e-12, 1) : "-",
        cost.bytes > 0 ? fixed(cost.bytes / cost.seconds * 1e-9, 0) : "-",
      ])
    }
    table.add([
      "all", "\(costs.reduce(0) { $0 + $1.calls })", fixed(total * 1e3, 3), "100.0", "", "", "",
    ])
    text = table.text
  }
}
