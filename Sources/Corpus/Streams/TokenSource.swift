/// A sequence of token ids that can be read anywhere.
public protocol TokenSource: Sendable {
  /// The number of ids.
  var count: Int { get }
  /// For people: where it comes from.
  var name: String { get }
  /// Copies ids from a position on.
  func copy(from start: Int, into target: UnsafeMutableBufferPointer<Int32>)
}

/// Ids in memory: the built-in corpus, or a test.
public struct TokenArray: TokenSource {
  public let name: String
  private let ids: [Int32]

  /// Takes ids over.
  public init(_ ids: [UInt32], name: String) {
    self.ids = ids.map { Int32(bitPattern: $0) }
    self.name = name
  }

  public var count: Int { ids.count }

  public func copy(from start: Int, into target: UnsafeMutableBufferPointer<Int32>) {
    precondition(start >= 0 && start + target.count <= ids.count, "tokens past the end")
    for index in 0..<target.count { target[index] = ids[start + index] }
  }
}

extension TokenShard: TokenSource {
  public var name: String { path }
}
