/// A comparison of runs as text for a terminal.
public struct ComparisonText {
  private let comparison: RunComparison
  /// Of every run; a walk through all steps of two runs each.
  private let trainingDistances: [TrainingDistance?]

  /// The text of a comparison.
  public init(_ comparison: RunComparison) {
    self.comparison = comparison
    trainingDistances = comparison.entries.indices.map { comparison.trainingDistance(run: $0) }
  }

  /// Column titles of the table.
  static let header = [
    "run", "sparse steps", "tokens", "time in steps", "dense tokens/s", "sparse tokens/s",
    "final loss", "to reference", "training, to its seed", "bits/byte", "tokens to its loss",
    "time to its loss", "times sooner",
  ]

  /// Cells of the table, a row for each run.
  var rows: [[String]] {
    comparison.entries.enumerated().map { index, entry in
      let curves = entry.curves
      let speed = { (sparse: Bool) in
        curves.medianSpeed(sparse: sparse).map { ProgressLine.decimals($0, 0) } ?? "-"
      }
      let base = comparison.target
      let difference = entry.final.flatMap { final in base.map { final.loss - $0 } }
      let isReference = index == 0
      return [
        curves.name, ProgressLine.decimals(100 * curves.sparseShare, 0) + " %",
        "\(curves.steps.last?.tokens ?? 0)",
        ProgressLine.duration(curves.steps.last?.seconds ?? 0), speed(false), speed(true),
        entry.final.map { ProgressLine.decimals($0.loss, 4) } ?? "-",
        isReference ? "reference" : difference.map(ComparisonText.signed) ?? "-",
        isReference
          ? "reference"
          : trainingDistances[index].map { ComparisonText.signed($0.loss) } ?? "-",
        entry.final?.bitsPerByte.map { ProgressLine.decimals($0, 4) } ?? "-",
        entry.reached.map { ProgressLine.decimals($0.tokens, 0) } ?? "not reached",
        entry.reached.map { ProgressLine.duration($0.seconds) } ?? "not reached",
        comparison.timesSooner(entry).map { ProgressLine.decimals($0, 2) + "x" } ?? "-",
      ]
    }
  }

  /// What to know of the table of seeds.
  static let groupNote =
    "±: standard error; differences are of pairs of one seed where no seed is missing or there twice"

  /// Which steps the training losses are of; nil where none are compared.
  var trainingNote: String? {
    let steps = trainingDistances.compactMap { $0?.steps }
    guard let first = steps.map(\.lowerBound).min(), let last = steps.map(\.upperBound).max() else {
      return nil
    }
    let isOne = Set(steps).count == 1
    return
      "training losses are of steps \(first) to \(last)\(isOne ? "" : ", some of them for each run")"
  }

  /// Titles of the table of seeds.
  static let groupHeader = [
    "mean of seeds", "runs", "final loss", "to reference", "training, to its seed",
    "as good as its mean", "time in steps", "times faster",
  ]

  /// Cells of the table of seeds, a row for each recipe; empty when no recipe has two runs. Nothing is
  /// compared when the first run, the reference, was never evaluated.
  var groupRows: [[String]] {
    guard comparison.hasSeeds else { return [] }
    let reference = comparison.groups.first { $0.runs.contains(0) }
    return comparison.groups.map { group in
      let difference = reference.map { reference in
        guard group != reference else { return "reference" }
        let difference = group.difference(to: reference)
        return ComparisonText.mean(
          ComparisonText.signed(difference.loss), difference.standardError)
      }
      let asGood = reference.map { reference in
        "\(group.losses.count { $0 <= reference.meanLoss }) of \(group.losses.count)"
      }
      let faster = reference.flatMap {
        group.meanSeconds > 0
          ? ProgressLine.decimals($0.meanSeconds / group.meanSeconds, 2) + "x" : nil
      }
      return [
        group.name, "\(group.losses.count)",
        ComparisonText.mean(ProgressLine.decimals(group.meanLoss, 4), group.standardError),
        difference ?? "-", group == reference ? "reference" : trainingDistance(group) ?? "-",
        asGood ?? "-", ProgressLine.duration(group.meanSeconds), faster ?? "-",
      ]
    }
  }

  /// The mean of the distances that runs of a recipe have; nil where none has.
  private func trainingDistance(_ group: SeedGroup) -> String? {
    let distances = group.runs.compactMap { trainingDistances[$0]?.loss }
    guard !distances.isEmpty else { return nil }
    return ComparisonText.mean(
      ComparisonText.signed(SeedGroup.mean(of: distances)),
      SeedGroup.standardError(of: distances))
  }

  /// The whole text: one block of lines for each run, means over seeds, then what to know.
  public var text: String {
    var lines = ComparisonText.table(ComparisonText.header, rows)
    let groups = groupRows
    if !groups.isEmpty {
      lines.append("")
      lines += ComparisonText.table(ComparisonText.groupHeader, groups)
      lines.append("(\(ComparisonText.groupNote))")
    }
    if let note = trainingNote { lines.append("(\(note))") }
    for entry in comparison.entries.dropFirst() where !entry.differences.isEmpty {
      lines.append("")
      lines.append("\(entry.curves.name) differs from the reference in:")
      for difference in entry.differences {
        lines.append("  \(difference.key) = \(difference.own), not \(difference.reference)")
      }
    }
    if !comparison.warnings.isEmpty { lines.append("") }
    lines += comparison.warnings.map { "note: \($0)" }
    return lines.joined(separator: "\n")
  }

  /// Lines of a table whose rows stand side by side: a dozen figures each would not fit on a
  /// terminal as rows.
  private static func table(_ header: [String], _ rows: [[String]]) -> [String] {
    let width = header.map(\.count).max() ?? 0
    let widths = rows.map { row in row.map(\.count).max() ?? 0 }
    var lines: [String] = []
    for (index, title) in header.enumerated() {
      let cells = rows.enumerated().map { run, row in
        String(repeating: " ", count: widths[run] - row[index].count) + row[index]
      }
      lines.append(
        title + String(repeating: " ", count: width - title.count) + "  "
          + cells.joined(separator: "  "))
      if index == 0 {
        lines.append(
          String(repeating: "-", count: width + widths.reduce(0) { $0 + $1 + 2 }))
      }
    }
    return lines
  }

  /// A mean and, where there is one, its standard error.
  private static func mean(_ value: String, _ error: Double?) -> String {
    value + (error.map { " ± " + ProgressLine.decimals($0, 4) } ?? "")
  }

  /// A difference with its sign.
  static func signed(_ value: Double) -> String {
    (value < 0 ? "" : "+") + ProgressLine.decimals(value, 4)
  }
}
