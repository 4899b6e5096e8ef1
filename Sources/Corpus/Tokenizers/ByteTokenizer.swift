/// One token for each byte value, and one more, 256, between documents.
public struct ByteTokenizer: Tokenizer {
  /// The tokenizer has no settings.
  public init() {}

  public var vocabularySize: Int { 257 }
  public var endOfText: Int? { 256 }
  public var name: String { "bytes" }

  public func encode(_ bytes: [UInt8]) -> [UInt32] { bytes.map(UInt32.init) }

  /// Ids above 255 stand for no bytes.
  public func decode(_ ids: [UInt32]) -> [UInt8] {
    ids.compactMap { UInt8(exactly: $0) }
  }
}
