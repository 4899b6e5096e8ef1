/// How plots look: the same on a page, where shades follow the reader's light or dark, and in a file
/// of their own, which is light.
enum PlotStyle {
  /// A colour of something that is no line.
  struct Shade {
    /// Its CSS variable, without the dashes.
    let name: String
    let light: String
    let dark: String
  }

  /// Colours of lines.
  static let palette = ["#3478c6", "#d9622b", "#1f9e77", "#b3589a", "#c79a1b", "#6f7f90"]

  private static let shades = [
    Shade(name: "ink", light: "#1c2430", dark: "#e4e9ef"),
    Shade(name: "soft", light: "#5d6b7c", dark: "#9aa7b5"),
    Shade(name: "line", light: "#d9dfe6", dark: "#36414d"),
    Shade(name: "page", light: "#ffffff", dark: "#14191f"),
    Shade(name: "card", light: "#f6f8fa", dark: "#1c232b"),
  ]

  /// CSS for a page: the shades as variables, for light and for dark.
  static var variables: String {
    func root(_ color: (Shade) -> String) -> String {
      ":root { " + shades.map { "--\($0.name): \(color($0));" }.joined(separator: " ") + " }"
    }
    return """
      \(root(\.light))
      @media (prefers-color-scheme: dark) {
        \(root(\.dark))
      }
      """
  }

  /// CSS for plots on a page that has `variables`.
  static var pageRules: String {
    rules(ground: "card") + "\n" + colors(palette.indices, back: true)
  }

  /// CSS for a plot in a file, with some of the palette: few viewers of SVG know CSS variables.
  static func fileRules(_ colors: some Sequence<Int>) -> String {
    var text = rules(ground: "page") + "\nsvg .ground { fill: var(--page); }\n"
    text += "svg text { font-family: \(fonts); }\n" + PlotStyle.colors(colors, back: false)
    return shades.reduce(text) { $0.replacing("var(--\($1.name))", with: $1.light) }
  }

  /// What text is set in.
  static let fonts =
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

  /// Rules for the parts of a plot that lies on the shade `ground`.
  private static func rules(ground: String) -> String {
    """
    svg text { fill: var(--ink); font-size: 12px; }
    svg .title { font-size: 14px; font-weight: 600; } svg .tick, svg .label { fill: var(--soft); }
    svg .rim { stroke: var(--\(ground)); stroke-width: 5px; stroke-linejoin: round; }
    svg .grid { stroke: var(--line); stroke-width: 1; }
    svg .level { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 5 4; }
    svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; } svg .band { opacity: 0.08; }
    """
  }

  /// A class for every use of every colour.
  private static func colors(_ indices: some Sequence<Int>, back: Bool) -> String {
    indices.map { index in
      let color = palette[index]
      return ".stroke\(index) { stroke: \(color); } .fill\(index) { fill: \(color); }"
        + (back ? " .back\(index) { background: \(color); }" : "")
    }.joined(separator: "\n")
  }
}
