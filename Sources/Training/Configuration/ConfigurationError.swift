/// Everything wrong with a configuration, all at once.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// One sentence for each mistake.
  public let mistakes: [String]

  /// An error with at least one mistake.
  public init(_ mistakes: [String]) { self.mistakes = mistakes }

  /// The mistakes as a list.
  public var description: String {
    mistakes.count == 1
      ? mistakes[0]
      : "\(mistakes.count) mistakes in the configuration:\n"
        + mistakes.map { "  - \($0)" }.joined(separator: "\n")
  }
}

/// Finds the name that was probably meant.
package enum NearestName {
  /// The candidate with the smallest edit distance, when it is near enough to be a misspelling.
  package static func of(_ name: String, among candidates: [String]) -> String? {
    let wanted = Array(name.lowercased())
    let best = candidates.map { ($0, distance(wanted, Array($0.lowercased()))) }
      .min { $0.1 < $1.1 }
    guard let best, best.1 <= max(2, wanted.count / 2) else { return nil }
    return best.0
  }

  /// Levenshtein's distance.
  static func distance(_ first: [Character], _ second: [Character]) -> Int {
    var row = Array(0...second.count)
    for (i, a) in first.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in second.enumerated() {
        let above = row[j + 1]
        row[j + 1] = a == b ? diagonal : 1 + min(diagonal, above, row[j])
        diagonal = above
      }
    }
    return row[second.count]
  }
}
