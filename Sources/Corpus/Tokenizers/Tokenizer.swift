/// Turns bytes of text into token ids and back, without loss.
public protocol Tokenizer: Sendable {
  /// Ids are below this.
  var vocabularySize: Int { get }
  /// The id that stands between documents, if there is one.
  var endOfText: Int? { get }
  /// For people and for manifests: `bytes`, or the path of a `tokenizer.json`.
  var name: String { get }
  /// Something that encodes many texts one after the other, on one thread.
  ///
  /// - Throws: a sentence where there is no way from text to ids.
  func encoder() throws -> any TokenEncoder
  /// Whether a text may be encoded in parts that are cut where a line begins with an ASCII letter,
  /// with the same ids.
  var cutsAtLines: Bool { get }
  /// The bytes of some ids; `decode(encode(x))` is x for all bytes.
  func decode(_ ids: [UInt32]) -> [UInt8]
}

extension Tokenizer {
  public var cutsAtLines: Bool { false }

  /// The ids of some text; nothing is added before or after it.
  public func encode(_ bytes: [UInt8]) throws -> [UInt32] {
    var ids: [UInt32] = []
    let encoder = try encoder()
    bytes.withUnsafeBufferPointer { encoder.append($0, to: &ids) }
    return ids
  }
}

/// Encodes texts on one thread, remembering what it has seen.
public protocol TokenEncoder: AnyObject {
  /// Appends the ids of a text.
  func append(_ text: UnsafeBufferPointer<UInt8>, to ids: inout [UInt32])
}
