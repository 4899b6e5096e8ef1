/// Numbers for people.
extension ProgressLine {
  /// A time: `42 s`, `3 min 07 s`, `2 h 05 min`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
    return "\(whole / 3600) h \(two(whole % 3600 / 60)) min"
  }

  /// The time of one step, of which many follow: `43.2 ms`, `298 ms`, `1.3 s`, then as `duration`.
  public static func stepDuration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 9.95 else { return duration(seconds) }
    if seconds >= 0.9995 { return decimals(seconds, 1) + " s" }
    return decimals(1000 * seconds, seconds < 0.09995 ? 1 : 0) + " ms"
  }

  /// A number with fixed decimals.
  public static func decimals(_ value: Double, _ count: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return plain(value) }
    var scale = 1.0
    for _ in 0..<count { scale *= 10 }
    let scaled = Int((abs(value) * scale).rounded())
    let digits = String(scaled)
    let padded = String(repeating: "0", count: max(0, count + 1 - digits.count)) + digits
    let sign = value < 0 && scaled > 0 ? "-" : ""
    return count == 0 ? sign + padded : sign + padded.dropLast(count) + "." + padded.suffix(count)
  }

  /// A number as Swift writes it; one that is none has no sign.
  static func plain(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }

  /// A whole number with commas between groups of three digits: `1,234,567`.
  public static func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var result = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { result += "," }
      result.append(digit)
    }
    return result
  }
}
