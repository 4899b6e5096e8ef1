import Glibc

// Where ticks stand, and how numbers are written.
extension LinePlot {
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
  static func number(_ value: Double) -> String { ProgressLine.decimals(value, 1) }
}
