/// One token for each byte value, and one more, 256, between documents.
public struct ByteTokenizer: Tokenizer {
  /// The tokenizer has no settings.
  public init() {}

  public var vocabularySize: Int { 257 }
  public var endOfText: Int? { 256 }
  public var name: String { "bytes" }

  public var cutsAtLines: Bool { true }

  /// The character that stands for each byte in byte-level BPE vocabularies, for exports.
  public static var alphabet: [String] { ByteAlphabet.characters.map { String(Character($0)) } }

  public func encoder() -> any TokenEncoder { Encoder() }

  /// Ids above 255 stand for no bytes.
  public func decode(_ ids: [UInt32]) -> [UInt8] {
    ids.compactMap { UInt8(exactly: $0) }
  }

  private final class Encoder: TokenEncoder {
    func append(_ text: UnsafeBufferPointer<UInt8>, to ids: inout [UInt32]) {
      ids.reserveCapacity(ids.count + text.count)
      for byte in text { ids.append(UInt32(byte)) }
    }
  }
}
