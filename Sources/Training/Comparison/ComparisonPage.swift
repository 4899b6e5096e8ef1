import FeedForward
import Interchange

/// A comparison of runs as one HTML page that needs nothing else: table, plots, settings.
public struct ComparisonPage {
  private let comparison: RunComparison
  private let title: String

  /// The page of a comparison.
  public init(_ comparison: RunComparison, title: String) {
    self.comparison = comparison
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
    \(plots.map { "<figure>\n\($0)\n</figure>" }.joined(separator: "\n"))
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
    let runs = ComparisonPage.table(ComparisonText.header, text.rows) { color(run: $0) }
    let groups = text.groupRows
    guard !groups.isEmpty else { return runs }
    return runs + "\n"
      + ComparisonPage.table(ComparisonText.groupHeader, groups) { group in
        color(run: comparison.groups[group].runs[0])
      }
      + "\n<p>±: standard error of the mean, or of the difference of two.</p>"
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

  // MARK: Plots

  private static let colors = 6

  /// The colour of a run: its own or, where recipes have several seeds, that of its recipe.
  private func color(run: Int) -> Int {
    let hasSeeds = comparison.groups.contains { $0.runs.count > 1 }
    let group = comparison.groups.firstIndex { $0.runs.contains(run) }
    return (hasSeeds ? group ?? run : run) % ComparisonPage.colors
  }

  private var plots: [String] {
    let runs = comparison.entries.map(\.curves)
    func lines(
      marks: Bool = false, _ points: (RunCurves) -> [(x: Double, y: Double)]
    ) -> [LinePlot.Series] {
      runs.enumerated().map { index, run in
        LinePlot.Series(
          name: run.name, points: points(run), color: color(run: index),
          marksPoints: marks)
      }
    }
    let bands: [(range: ClosedRange<Double>, color: Int)] = runs.enumerated().flatMap {
      index, run in
      run.phases.filter { $0.mode != .dense }.map {
        (Double($0.tokens.lowerBound)...Double($0.tokens.upperBound), color(run: index))
      }
    }
    let level = runs.count > 1 ? comparison.target : nil
    let time = { (seconds: Double) in ProgressLine.duration(seconds) }
    let plots = [
      LinePlot(
        title: "Held-out loss against wall clock", xLabel: "time in training steps",
        yLabel: "loss, nats per token",
        series: lines(marks: true) { $0.evaluations.map { ($0.seconds, $0.loss) } },
        level: level, formatX: time, skipsStart: true),
      LinePlot(
        title: "Held-out loss against tokens (sparse phases shaded)", xLabel: "tokens",
        yLabel: "loss, nats per token",
        series: lines(marks: true) { $0.evaluations.map { (Double($0.tokens), $0.loss) } },
        bands: bands, level: level, skipsStart: true),
      LinePlot(
        title: "Training loss, smoothed (flatters while sparse)", xLabel: "tokens",
        yLabel: "loss, nats per token", series: lines { ComparisonPage.smoothed($0) },
        bands: bands, skipsStart: true),
      LinePlot(
        title: "Speed", xLabel: "tokens", yLabel: "tokens per second",
        series: lines { run in
          ComparisonPage.thinned(run.steps).map { (Double($0.tokens), $0.tokensPerSecond) }
        }, bands: bands),
      LinePlot(
        title: "Energy of the activations that sparse steps keep", xLabel: "tokens",
        yLabel: "share, mean over layers",
        series: lines(marks: true) { $0.energies.map { (Double($0.tokens), $0.kept) } }),
    ]
    return plots.map(\.svg).filter { !$0.isEmpty }
  }

  /// An exponential mean over about 2 % of the run, at no more than 400 points.
  private static func smoothed(_ run: RunCurves) -> [(x: Double, y: Double)] {
    let weight = 1 / max(1, 0.02 * Double(run.steps.count))
    var mean: Double?
    let points = run.steps.compactMap { step -> (x: Double, y: Double)? in
      guard let loss = step.loss else { return nil }
      let next = mean.map { $0 + weight * (loss - $0) } ?? loss
      mean = next
      return (Double(step.tokens), next)
    }
    return thinned(points)
  }

  /// At most 400 of some elements, evenly spaced, the last one among them.
  private static func thinned<Element>(_ elements: [Element]) -> [Element] {
    let most = 400
    guard elements.count > most else { return elements }
    return (1...most).map { elements[$0 * elements.count / most - 1] }
  }

  private static let style = """
    :root { --ink: #1c2430; --soft: #5d6b7c; --line: #d9dfe6; --page: #ffffff; --card: #f6f8fa; }
    @media (prefers-color-scheme: dark) {
      :root { --ink: #e4e9ef; --soft: #9aa7b5; --line: #36414d; --page: #14191f; --card: #1c232b; }
    }
    body { margin: 0; background: var(--page); color: var(--ink);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
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
    svg text { fill: var(--ink); font-size: 12px; }
    svg .title { font-size: 14px; font-weight: 600; } svg .tick, svg .label { fill: var(--soft); }
    svg .legend { paint-order: stroke; stroke: var(--card); stroke-width: 5px; }
    svg .grid { stroke: var(--line); stroke-width: 1; }
    svg .level { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 5 4; }
    svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; } svg .band { opacity: 0.08; }
    .stroke0 { stroke: #3478c6; } .fill0 { fill: #3478c6; } .back0 { background: #3478c6; }
    .stroke1 { stroke: #d9622b; } .fill1 { fill: #d9622b; } .back1 { background: #d9622b; }
    .stroke2 { stroke: #1f9e77; } .fill2 { fill: #1f9e77; } .back2 { background: #1f9e77; }
    .stroke3 { stroke: #b3589a; } .fill3 { fill: #b3589a; } .back3 { background: #b3589a; }
    .stroke4 { stroke: #c79a1b; } .fill4 { fill: #c79a1b; } .back4 { background: #c79a1b; }
    .stroke5 { stroke: #6f7f90; } .fill5 { fill: #6f7f90; } .back5 { background: #6f7f90; }
    """
}
