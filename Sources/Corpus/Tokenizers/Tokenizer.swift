/// Turns bytes of text into token ids and back, without loss.
public protocol Tokenizer: Sendable {
  /// Ids are below this.
  var vocabularySize: Int { get }
  /// The id that stands between documents, if there is one.
  var endOfText: Int? { get }
  /// For people and for manifests: `bytes`, or the path of a `tokenizer.json`.
  var name: String { get }
  /// The ids of some text; no special tokens are added.
  func encode(_ bytes: [UInt8]) throws -> [UInt32]
  /// The bytes of some ids; `decode(encode(x))` is x for all bytes.
  func decode(_ ids: [UInt32]) -> [UInt8]
}
