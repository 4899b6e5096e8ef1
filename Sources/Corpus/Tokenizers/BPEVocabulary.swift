/// The tokens of a `tokenizer.json`, checked.
struct BPEVocabulary {
  let texts: TokenTexts
  let byteTokens: [UInt32]
  let added: [AddedTokens.Token]
  /// Ids by text, as the file spells it.
  let ids: [String: UInt32]

  /// No vocabulary in use comes near; a larger id is damage, not a wish for memory.
  private static let limit = 1 << 24

  init(_ file: TokenizerFile, path: String) throws {
    var ids: [String: UInt32] = [:]
    var highest = -1
    func check(_ id: Int, _ text: String) throws -> UInt32 {
      guard id >= 0 && id < BPEVocabulary.limit else {
        throw CorpusError("'\(path)' gives the token '\(text)' the id \(id)")
      }
      highest = max(highest, id)
      return UInt32(id)
    }
    ids.reserveCapacity(file.model.vocab.count)
    for (text, id) in file.model.vocab { ids[text] = try check(id, text) }
    var added: [AddedTokens.Token] = []
    for token in file.added_tokens ?? [] {
      let id = try check(token.id, token.content)
      if let other = ids[token.content], other != id {
        throw CorpusError(
          "'\(path)' gives the token '\(token.content)' the ids \(other) and \(id)")
      }
      added.append(
        AddedTokens.Token(
          id: id, content: Array(token.content.utf8), isSingleWord: token.single_word ?? false,
          stripsLeft: token.lstrip ?? false, stripsRight: token.rstrip ?? false,
          isSpecial: token.special ?? false, isNormalized: token.normalized ?? false))
    }
    var tokens = [[UInt8]?](repeating: nil, count: highest + 1)
    var searchable: [UInt32] = []
    for (text, id) in ids {
      guard tokens[Int(id)] == nil else {
        throw CorpusError("'\(path)' gives the id \(id) to several tokens, '\(text)' among them")
      }
      let bytes = ByteAlphabet.bytes(of: text)
      if bytes != nil { searchable.append(id) }
      tokens[Int(id)] = bytes ?? Array(text.utf8)
    }
    // What was added stands for its own text, whatever alphabet the rest is written in.
    for token in added {
      tokens[Int(token.id)] = token.content
      ids[String(decoding: token.content, as: UTF8.self)] = token.id
    }
    byteTokens = try ByteAlphabet.characters.enumerated().map { byte, character in
      guard let id = ids[String(character)] else {
        throw CorpusError(
          "'\(path)' has no token for the byte \(byte) ('\(character)'), so that some texts could "
            + "not be encoded; train it with all 256 bytes in its initial alphabet")
      }
      return id
    }
    searchable.sort()
    texts = TokenTexts(tokens, searchable: searchable)
    self.added = added
    self.ids = ids
  }

  /// Merges as ids.
  func merges(
    _ pairs: [(left: String, right: String)], path: String
  ) throws -> [(left: UInt32, right: UInt32, token: UInt32)] {
    try pairs.map { left, right in
      func id(_ text: String) throws -> UInt32 {
        guard let id = ids[text] else {
          throw CorpusError(
            "'\(path)' merges '\(left)' and '\(right)', but '\(text)' is not in its vocabulary")
        }
        return id
      }
      return (try id(left), try id(right), try id(left + right))
    }
  }
}
