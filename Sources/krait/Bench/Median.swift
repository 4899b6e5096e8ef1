extension [Double] {
  /// The middle value, or the mean of the two in the middle; NaN for none.
  var median: Double {
    guard !isEmpty else { return .nan }
    let ascending = sorted()
    return (ascending[count / 2] + ascending[(count - 1) / 2]) / 2
  }
}
