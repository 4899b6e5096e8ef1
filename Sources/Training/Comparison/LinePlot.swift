import Glibc

/// A plot of lines as one SVG element that needs nothing else: axes, ticks, legend, tooltips.
struct LinePlot {
  /// One line.
  struct Series {
    var name: String
    /// Points, x rising.
    var points: [(x: Double, y: Double)]
    /// Which colour of the palette.
    var color: Int
    /// Whether single points are marked: for few of them.
    var marksPoints = false
  }

  var title: String
  var xLabel: String
  var yLabel: String
  var series: [Series]
  /// Stretches of x that are shaded: sparse phases.
  var bands: [(range: ClosedRange<Double>, color: Int)] = []
  /// A horizontal line, for the loss to reach.
  var level: Double?
  /// How x values are written at ticks.
  var formatX: (Double) -> String = { LinePlot.short($0) }
  /// Whether y starts above the highest points of the first tenth, which would hide the rest.
  var skipsStart = false

  private static let width = 760.0
  private static let height = 380.0
  private static let left = 64.0
  private static let right = 18.0
  private static let top = 34.0
  private static let bottom = 50.0

  /// The SVG text.
  var svg: String {
    let shown = series.filter { !$0.points.isEmpty }
    guard !shown.isEmpty else { return "" }
    let xs = shown.flatMap { $0.points.map(\.x) }
    let xRange = LinePlot.widened((xs.min() ?? 0), (xs.max() ?? 1), by: 0)
    let yRange = self.yRange(shown, xRange)
    let scale = Scale(x: xRange, y: yRange)
    var parts = [
      "<svg viewBox=\"0 0 \(Int(LinePlot.width)) \(Int(LinePlot.height))\" role=\"img\" "
        + "aria-label=\"\(HTML.escape(title))\">",
      "<text class=\"title\" x=\"\(LinePlot.left)\" y=\"20\">\(HTML.escape(title))</text>",
    ]
    parts += bandShapes(scale) + axes(scale)
    if let level, yRange.contains(level) {
      let y = LinePlot.number(scale.y(level))
      parts.append(
        "<line class=\"level\" x1=\"\(LinePlot.left)\" x2=\"\(LinePlot.width - LinePlot.right)\" "
          + "y1=\"\(y)\" y2=\"\(y)\"><title>loss to reach: \(LinePlot.short(level))</title></line>")
    }
    parts.append(
      "<clipPath id=\"\(clip)\"><rect x=\"\(LinePlot.left)\" y=\"\(LinePlot.top)\" "
        + "width=\"\(LinePlot.width - LinePlot.left - LinePlot.right)\" "
        + "height=\"\(LinePlot.height - LinePlot.top - LinePlot.bottom)\"/></clipPath>")
    parts.append("<g clip-path=\"url(#\(clip))\">")
    for line in shown { parts += shape(line, scale) }
    parts.append("</g>")
    parts += legend(shown)
    parts.append("</svg>")
    return parts.joined(separator: "\n")
  }

  private var clip: String {
    "clip-" + title.lowercased().filter { $0.isASCII && $0.isLetter }
  }

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
    if let level { ys.append(level) }
    return LinePlot.widened(ys.min() ?? 0, ys.max() ?? 1, by: 0.06)
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

  /// Names at the upper right, where falling lines leave room.
  private func legend(_ shown: [Series]) -> [String] {
    shown.enumerated().map { index, line in
      let y = LinePlot.top + 14 + 18 * Double(index)
      let x = LinePlot.width - LinePlot.right - 8
      return "<text class=\"legend\" text-anchor=\"end\" x=\"\(x - 24)\" y=\"\(y + 4)\">"
        + "\(HTML.escape(line.name))</text>"
        + "<line class=\"line stroke\(line.color)\" x1=\"\(x - 18)\" x2=\"\(x)\" y1=\"\(y)\" "
        + "y2=\"\(y)\"/>"
    }
  }

  // MARK: Numbers

  /// Four to eight round numbers within a range.
  static func ticks(_ range: ClosedRange<Double>) -> [Double] {
    let span = range.upperBound - range.lowerBound
    guard span > 0, span.isFinite else { return [] }
    let rough = span / 6
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
    var result: [Double] = []
    var index = (range.lowerBound / step).rounded(.up)
    while index * step <= range.upperBound + step * 1e-9 {
      result.append(index * step)
      index += 1
    }
    return result
  }

  /// A number in few characters: `1.5M`, `32k`, `0.25`.
  static func short(_ value: Double) -> String {
    func trim(_ number: Double, _ decimals: Int) -> String {
      var text = ProgressLine.decimals(number, decimals)
      guard text.contains(".") else { return text }
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
      return text
    }
    let size = abs(value)
    if size >= 1e9 { return trim(value / 1e9, 2) + "B" }
    if size >= 1e6 { return trim(value / 1e6, 2) + "M" }
    if size >= 1e4 { return trim(value / 1e3, 1) + "k" }
    return trim(value, size >= 100 ? 1 : 4)
  }

  /// A coordinate.
  private static func number(_ value: Double) -> String { ProgressLine.decimals(value, 1) }
}

/// Text inside of HTML.
enum HTML {
  /// Replaces what has a meaning in HTML.
  static func escape(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
