/// Indices by descending value: ties to the lower index, −0 equals +0, NaN below everything.
func ranking(_ values: [Double]) -> [Int] {
  values.indices.sorted { first, second in
    let (a, b) = (values[first], values[second])
    if a.isNaN || b.isNaN {
      return a.isNaN == b.isNaN ? first < second : b.isNaN
    }
    return a == b ? first < second : a > b
  }
}

extension CaseValues {
  /// Few distinct numbers, so that most comparisons are ties; sums of them are exact in float32.
  /// `withNaN` mixes NaN and infinities in.
  static func ties(
    _ count: Int, seed: Int, nonNegative: Bool = false, withNaN: Bool = false
  ) -> CaseValues {
    .floats { most in
      var palette: [Float] =
        nonNegative ? [0, -0.0, 0, 0.5, 1, 1, 2] : [0, -0.0, -1, 0.5, 1, 1, 2]
      if withNaN { palette += [.nan, .infinity, -.infinity] }
      var random = CaseRandom(seed)
      return (0..<min(count, most)).map { _ in palette[random.below(palette.count)] }
    }
  }
}
