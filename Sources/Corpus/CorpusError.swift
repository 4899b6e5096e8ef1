import Glibc

/// Something wrong with data: one sentence that names the file, the value and the way out.
public struct CorpusError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The sentence.
  public let description: String

  /// An error with a sentence.
  public init(_ description: String) { self.description = description }

  /// What the system said of a file, as a sentence.
  static func system(_ doing: String, _ path: String, _ code: Int32) -> CorpusError {
    CorpusError("cannot \(doing) '\(path)': \(String(cString: strerror(code)))")
  }
}
