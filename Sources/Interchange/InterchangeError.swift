import Glibc

/// Something wrong with a file: one sentence that names the file, the value and the way out.
public struct InterchangeError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The sentence.
  public let description: String

  /// An error with a sentence.
  public init(_ description: String) { self.description = description }

  /// What the system said of a file, as a sentence, with a way out where the cause is known.
  public static func system(_ doing: String, _ path: String, _ code: Int32) -> InterchangeError {
    let way =
      switch code {
      case ENOSPC, EDQUOT, EFBIG: "; free space on that disk or choose another folder"
      case EACCES, EPERM, EROFS: "; choose a folder you may write to, or change its permissions"
      case ENOENT: "; check the path"
      case EEXIST, ENOTDIR: "; move the file that is in the way"
      default: ""
      }
    return InterchangeError("cannot \(doing) '\(path)': \(String(cString: strerror(code)))\(way)")
  }
}
