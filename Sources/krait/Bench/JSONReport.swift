import Interchange

/// One JSON object about a benchmark, for the programs in Benchmarks/peers.
struct JSONReport {
  /// What a field may hold.
  enum Value {
    case text(String)
    case integer(Int?)
    case numbers([Double])
    case object([(String, Double)])
  }

  let benchmark: String
  let machine: String

  /// The object: what was measured, where, and the fields of every variant.
  func text(_ variants: [[(name: String, value: Value)]]) -> String {
    let objects = variants.map { fields in
      braces(fields.map { ($0.name, json($0.value)) })
    }
    return braces([
      ("benchmark", QuotedText.of(benchmark)), ("machine", QuotedText.of(machine)),
      ("variants", "[" + objects.joined(separator: ", ") + "]"),
    ])
  }

  private func json(_ value: Value) -> String {
    switch value {
    case .text(let text): QuotedText.of(text)
    case .integer(let number): number.map(String.init) ?? "null"
    case .numbers(let values): "[" + values.map(number).joined(separator: ", ") + "]"
    case .object(let fields): braces(fields.map { ($0.0, number($0.1)) })
    }
  }

  private func braces(_ fields: [(String, String)]) -> String {
    "{" + fields.map { QuotedText.of($0.0) + ": " + $0.1 }.joined(separator: ", ") + "}"
  }

  private func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }
}
