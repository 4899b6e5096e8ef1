import Interchange

/// A comparison of runs as one HTML page that needs nothing else: table, plots, settings.
public struct ComparisonPage {
  private let comparison: RunComparison
  private let plots: ComparisonPlots
  private let title: String

  /// The page of a comparison.
  public init(_ comparison: RunComparison, title: String) {
    self.comparison = comparison
    plots = ComparisonPlots(comparison)
    self.title = title
  }

  /// Writes the page; a file that is there is replaced as a whole.
  public func write(to path: String) throws {
    try AtomicFile.write(html, to: path)
  }

  /// The page.
  public var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(HTML.escape(title))</title>
    <style>
    \(ComparisonPage.style)
    </style>
    </head>
    <body>
    <main>
    <h1>\(HTML.escape(title))</h1>
    \(lead)
    \(table)
    \(notes)
    <div class="plots">
    \(plots.all.map { "<figure>\n\($0.svg)\n</figure>" }.joined(separator: "\n"))
    </div>
    \(settings)
    </main>
    </body>
    </html>

    """
  }

  // MARK: Text

  private var lead: String {
    guard let reference = comparison.entries.first, let target = comparison.target else {
      return "<p>No run has been evaluated yet.</p>"
    }
    if comparison.entries.count == 1 {
      return "<p>Final held-out loss <b>\(ProgressLine.decimals(target, 4))</b>, always evaluated "
        + "densely.</p>"
    }
    let best = comparison.entries.dropFirst()
      .compactMap { entry in comparison.timesSooner(entry).map { (entry.curves.name, $0) } }
      .max { $0.1 < $1.1 }
    let name = HTML.escape(reference.curves.name)
    guard let best else {
      return "<p>No other run reached the final loss of <b>\(name)</b>, "
        + "\(ProgressLine.decimals(target, 4)).</p>"
    }
    return "<p><b>\(HTML.escape(best.0))</b> reached the final loss of <b>\(name)</b> "
      + "(\(ProgressLine.decimals(target, 4))) <b>\(ProgressLine.decimals(best.1, 2)) times</b> "
      + "as soon. Losses are dense evaluations on held-out text; times are spent in training "
      + "steps, everything in them included.</p>"
  }

  private var table: String {
    let text = ComparisonText(comparison)
    let runs = ComparisonPage.table(ComparisonText.header, text.rows) { plots.color(run: $0) }
    let groups = text.groupRows
    let note = text.trainingNote.map { "\n<p>\($0).</p>" } ?? ""
    guard !groups.isEmpty else { return runs + note }
    return runs + "\n"
      + ComparisonPage.table(ComparisonText.groupHeader, groups) { group in
        plots.color(run: comparison.groups[group].runs[0])
      }
      + "\n<p>\(ComparisonText.groupNote).</p>" + note
  }

  /// A table with a dot of the given colour before every row.
  private static func table(
    _ header: [String], _ rows: [[String]], color: (Int) -> Int
  ) -> String {
    let head = header.map { "<th>\(HTML.escape($0))</th>" }.joined()
    let rows = rows.enumerated().map { index, row in
      let cells = row.enumerated().map { column, cell in
        column == 0
          ? "<td><span class=\"dot back\(color(index))\"></span>\(HTML.escape(cell))</td>"
          : "<td>\(HTML.escape(cell))</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    return "<div class=\"wide\"><table><thead><tr>\(head)</tr></thead>\n<tbody>"
      + rows.joined(separator: "\n") + "</tbody></table></div>"
  }

  private var notes: String {
    guard !comparison.warnings.isEmpty else { return "" }
    let items = comparison.warnings.map { "<li>\(HTML.escape($0))</li>" }
    return "<ul class=\"notes\">\(items.joined())</ul>"
  }

  private var settings: String {
    let parts = comparison.entries.dropFirst().filter { !$0.differences.isEmpty }.map { entry in
      let rows = entry.differences.map { difference in
        "<tr><td>\(HTML.escape(difference.key))</td><td>\(HTML.escape(difference.reference))</td>"
          + "<td>\(HTML.escape(difference.own))</td></tr>"
      }
      return "<h2>\(HTML.escape(entry.curves.name)): what differs from the reference</h2>\n"
        + "<div class=\"wide\"><table class=\"settings\"><thead><tr><th>setting</th>"
        + "<th>reference</th><th>here</th></tr></thead><tbody>"
        + rows.joined(separator: "\n") + "</tbody></table></div>"
    }
    return parts.joined(separator: "\n")
  }

  private static let style = """
    \(PlotStyle.variables)
    body { margin: 0; background: var(--page); color: var(--ink);
      font: 15px/1.5 \(PlotStyle.fonts); }
    main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
    h1 { font-size: 24px; margin: 0 0 8px; } h2 { font-size: 17px; margin: 28px 0 8px; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; margin: 12px 0; font-variant-numeric: tabular-nums; }
    th, td { padding: 6px 12px; border-bottom: 1px solid var(--line); text-align: right; }
    th { color: var(--soft); font-weight: 600; font-size: 13px; vertical-align: bottom; }
    th:first-child, td:first-child, .settings td, .settings th { text-align: left; }
    td { white-space: nowrap; }
    .dot { display: inline-block; width: 10px; height: 10px; border-radius: 5px; margin-right: 8px; }
    .notes { color: var(--soft); }
    .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr));
      gap: 16px; margin-top: 16px; }
    figure { margin: 0; padding: 12px; background: var(--card); border: 1px solid var(--line);
      border-radius: 10px; }
    svg { display: block; width: 100%; height: auto; }
    \(PlotStyle.pageRules)
    """
}
