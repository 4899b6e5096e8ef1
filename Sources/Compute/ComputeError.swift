/// Something the machine would not do: what was called, what it said, what was being done.
public struct ComputeError: Error, Sendable, CustomStringConvertible {
  /// The class of failure, for callers that react to it.
  public enum Code: Sendable, Equatable {
    /// Memory of the device ran out.
    case outOfMemory
    /// A library or device is missing or too old.
    case unavailable
    /// A library call returned this status.
    case library(Int32)
    /// The operation exists but this backend cannot run it with these arguments.
    case unsupported
  }

  /// The class of failure.
  public let code: Code
  /// The function that failed, for example `posix_memalign`.
  public let call: String
  /// What was being done, and what to try.
  public let context: String

  /// A failure of `call` with a sentence of context.
  public init(_ code: Code, call: String, context: String) {
    self.code = code
    self.call = call
    self.context = context
  }

  /// One sentence for a person.
  public var description: String { "\(call) failed (\(code)): \(context)" }
}
