/// A plot of lines as SVG: axes, ticks, legend, tooltips.
struct LinePlot {
  /// One line.
  struct Series {
    var name: String
    /// What the legend calls it, once for all lines of that name; nil for `name`.
    var legend: String?
    /// Points, x rising.
    var points: [(x: Double, y: Double)]
    /// Which colour of the palette.
    var color: Int
    /// Whether single points are marked: for few of them.
    var marksPoints = false
  }

  /// A stretch of x that is shaded.
  struct Band: Equatable {
    var range: ClosedRange<Double>
    /// Which colour of the palette.
    var color: Int
  }

  /// A horizontal line.
  struct Level {
    var y: Double
    /// What it says under the pointer.
    var name: String
  }

  /// What its file is called, without an extension; no two plots of a page have the same.
  var name: String
  var title: String
  var xLabel: String
  var yLabel: String
  var series: [Series]
  /// Sparse phases.
  var bands: [Band] = []
  /// A horizontal line that is always within sight.
  var level: Level?
  /// How x values are written at ticks.
  var formatX: (Double) -> String = { LinePlot.short($0) }
  /// Whether y starts above the highest points of the first tenth, which would hide the rest.
  var skipsStart = false
  /// Whether y goes on above the lines far enough for the legend.
  var legendAbove = false

  private static let width = 760.0
  private static let height = 380.0
  private static let left = 64.0
  private static let right = 18.0
  private static let top = 34.0
  private static let bottom = 50.0
  private static let legendRow = 18.0

  /// Whether there is nothing to draw.
  var isEmpty: Bool { shown.isEmpty }

  /// The SVG element for a page that has `PlotStyle.pageRules`; empty when there is nothing to draw.
  var svg: String { element() }

  /// The SVG as a file that needs no other, readable on any ground.
  var file: String {
    let colors = Set(shown.map(\.color) + bands.map(\.color)).sorted()
    let size = "width=\"\(Int(LinePlot.width))\" height=\"\(Int(LinePlot.height))\""
    return element(
      attributes: "xmlns=\"http://www.w3.org/2000/svg\" \(size) ",
      head: [
        "<style>\n\(PlotStyle.fileRules(colors))\n</style>", "<rect class=\"ground\" \(size)/>",
      ])
      + "\n"
  }

  private var shown: [Series] { series.filter { !$0.points.isEmpty } }

  private func element(attributes: String = "", head: [String] = []) -> String {
    let shown = shown
    guard !shown.isEmpty else { return "" }
    let xs = shown.flatMap { $0.points.map(\.x) }
    let xRange = LinePlot.widened((xs.min() ?? 0), (xs.max() ?? 1), by: 0)
    let yRange = self.yRange(shown, xRange)
    let scale = Scale(x: xRange, y: yRange)
    var parts = [
      "<svg \(attributes)viewBox=\"0 0 \(Int(LinePlot.width)) \(Int(LinePlot.height))\" role=\"img\" "
        + "aria-label=\"\(HTML.escape(title))\">"
    ]
    parts += head
    parts.append(
      "<text class=\"title\" x=\"\(LinePlot.left)\" y=\"20\">\(HTML.escape(title))</text>")
    parts += bandShapes(scale) + axes(scale)
    if let level, yRange.contains(level.y) {
      let y = LinePlot.number(scale.y(level.y))
      parts.append(
        "<line class=\"level\" x1=\"\(LinePlot.left)\" x2=\"\(LinePlot.width - LinePlot.right)\" "
          + "y1=\"\(y)\" y2=\"\(y)\"><title>\(HTML.escape(level.name))</title></line>")
    }
    parts.append(
      "<clipPath id=\"\(clip)\"><rect x=\"\(LinePlot.left)\" y=\"\(LinePlot.top)\" "
        + "width=\"\(LinePlot.width - LinePlot.left - LinePlot.right)\" "
        + "height=\"\(LinePlot.height - LinePlot.top - LinePlot.bottom)\"/></clipPath>")
    parts.append("<g clip-path=\"url(#\(clip))\">")
    for line in shown { parts += shape(line, scale) }
    parts.append("</g>")
    parts += legend
    parts.append("</svg>")
    return parts.joined(separator: "\n")
  }

  private var clip: String { "clip-" + name }

  /// Maps values to places.
  private struct Scale {
    let x: ClosedRange<Double>
    let y: ClosedRange<Double>

    func x(_ value: Double) -> Double {
      LinePlot.left + (value - x.lowerBound) / (x.upperBound - x.lowerBound)
        * (LinePlot.width - LinePlot.left - LinePlot.right)
    }
    func y(_ value: Double) -> Double {
      LinePlot.height - LinePlot.bottom - (value - y.lowerBound) / (y.upperBound - y.lowerBound)
        * (LinePlot.height - LinePlot.top - LinePlot.bottom)
    }
  }

  private func yRange(_ shown: [Series], _ x: ClosedRange<Double>) -> ClosedRange<Double> {
    let cut = skipsStart ? x.lowerBound + 0.1 * (x.upperBound - x.lowerBound) : -Double.infinity
    var ys = shown.flatMap { $0.points.filter { $0.x >= cut }.map(\.y) }
    if ys.isEmpty { ys = shown.flatMap { $0.points.map(\.y) } }
    if let level { ys.append(level.y) }
    let range = LinePlot.widened(ys.min() ?? 0, ys.max() ?? 1, by: 0.06)
    guard legendAbove else { return range }
    let share = min(
      0.5,
      LinePlot.legendRow * Double(legendLines.count)
        / (LinePlot.height - LinePlot.top - LinePlot.bottom))
    let span = range.upperBound - range.lowerBound
    return range.lowerBound...(range.lowerBound + span / (1 - share))
  }

  private static func widened(_ low: Double, _ high: Double, by share: Double) -> ClosedRange<
    Double
  > {
    guard high > low else { return (low - 0.5)...(low + 0.5) }
    return (low - share * (high - low))...(high + share * (high - low))
  }

  private func bandShapes(_ scale: Scale) -> [String] {
    bands.map { band in
      let start = scale.x(max(band.range.lowerBound, scale.x.lowerBound))
      let end = scale.x(min(band.range.upperBound, scale.x.upperBound))
      return "<rect class=\"band fill\(band.color)\" x=\"\(LinePlot.number(start))\" "
        + "y=\"\(LinePlot.top)\" width=\"\(LinePlot.number(max(0, end - start)))\" "
        + "height=\"\(LinePlot.height - LinePlot.top - LinePlot.bottom)\"/>"
    }
  }

  private func axes(_ scale: Scale) -> [String] {
    var parts: [String] = []
    let floor = LinePlot.height - LinePlot.bottom
    for tick in LinePlot.ticks(scale.y) {
      let y = LinePlot.number(scale.y(tick))
      parts.append(
        "<line class=\"grid\" x1=\"\(LinePlot.left)\" x2=\"\(LinePlot.width - LinePlot.right)\" "
          + "y1=\"\(y)\" y2=\"\(y)\"/>"
          + "<text class=\"tick\" text-anchor=\"end\" x=\"\(LinePlot.left - 8)\" y=\"\(y)\" "
          + "dy=\"4\">\(LinePlot.short(tick))</text>")
    }
    for tick in LinePlot.ticks(scale.x) {
      let x = LinePlot.number(scale.x(tick))
      parts.append(
        "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(floor)\" y2=\"\(floor + 5)\"/>"
          + "<text class=\"tick\" text-anchor=\"middle\" x=\"\(x)\" y=\"\(floor + 19)\">"
          + "\(HTML.escape(formatX(tick)))</text>")
    }
    let middle = LinePlot.number((LinePlot.left + LinePlot.width - LinePlot.right) / 2)
    let height = LinePlot.number((LinePlot.top + floor) / 2)
    parts.append(
      "<text class=\"label\" text-anchor=\"middle\" x=\"\(middle)\" "
        + "y=\"\(LinePlot.height - 10)\">\(HTML.escape(xLabel))</text>")
    parts.append(
      "<text class=\"label\" text-anchor=\"middle\" x=\"16\" y=\"\(height)\" "
        + "transform=\"rotate(-90 16 \(height))\">\(HTML.escape(yLabel))</text>")
    return parts
  }

  private func shape(_ line: Series, _ scale: Scale) -> [String] {
    let places = line.points.map {
      "\(LinePlot.number(scale.x($0.x))),\(LinePlot.number(scale.y($0.y)))"
    }
    var parts = [
      "<polyline class=\"line stroke\(line.color)\" points=\"\(places.joined(separator: " "))\">"
        + "<title>\(HTML.escape(line.name))</title></polyline>"
    ]
    guard line.marksPoints else { return parts }
    for point in line.points {
      parts.append(
        "<circle class=\"fill\(line.color)\" r=\"3\" cx=\"\(LinePlot.number(scale.x(point.x)))\" "
          + "cy=\"\(LinePlot.number(scale.y(point.y)))\"><title>\(HTML.escape(line.name)): "
          + "\(HTML.escape(formatX(point.x))), \(LinePlot.short(point.y))</title></circle>")
    }
    return parts
  }

  /// Names at the upper right, where falling lines leave room. A rim of their own keeps them clear of
  /// lines: not every viewer of SVG knows `paint-order`.
  private var legend: [String] {
    legendLines.enumerated().map { index, line in
      let y = LinePlot.top + 14 + LinePlot.legendRow * Double(index)
      let x = LinePlot.width - LinePlot.right - 8
      let place =
        "text-anchor=\"end\" x=\"\(x - 24)\" y=\"\(y + 4)\">\(HTML.escape(line.name))</text>"
      return "<text class=\"rim\" aria-hidden=\"true\" \(place)<text \(place)"
        + "<line class=\"line stroke\(line.color)\" x1=\"\(x - 18)\" x2=\"\(x)\" y1=\"\(y)\" "
        + "y2=\"\(y)\"/>"
    }
  }

  /// The first line of each name in the legend.
  private var legendLines: [(name: String, color: Int)] {
    var lines: [(name: String, color: Int)] = []
    for line in shown {
      let name = line.legend ?? line.name
      if !lines.contains(where: { $0 == (name, line.color) }) { lines.append((name, line.color)) }
    }
    return lines
  }
}
