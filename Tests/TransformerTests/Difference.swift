/// How far numbers are from what they should be.
enum Difference {
  /// The largest `|a − b| / (|b| + floor · max |b|)`: relative for every element, with a floor
  /// that keeps an element near zero from asking for more digits than its neighbours carry.
  /// Infinite when counts differ or anything is not a number.
  static func relative(
    _ actual: [Float], _ expected: [Float], floor: Double = 0.02
  ) -> Double {
    guard actual.count == expected.count else { return .infinity }
    let largest = expected.reduce(0) { max($0, abs(Double($1))) }
    var worst: Double = 0
    for (a, b) in zip(actual, expected) {
      let error = abs(Double(a) - Double(b))
      if error == 0 { continue }
      let ratio = error / (abs(Double(b)) + floor * largest)
      if !ratio.isFinite { return .infinity }
      worst = max(worst, ratio)
    }
    return worst
  }
}
