/// Tokens that are cut out of the raw text before anything else: `<|endoftext|>` and the like.
struct AddedTokens: Sendable {
  /// An added token as `tokenizer.json` describes it.
  struct Token: Sendable {
    let id: UInt32
    let content: [UInt8]
    /// Matches only where no word character is next to it.
    let isSingleWord: Bool
    /// Takes the white space before it along.
    let stripsLeft: Bool
    /// Takes the white space after it along.
    let stripsRight: Bool
    /// Whether it is a special token, as opposed to a word that was added later.
    let isSpecial: Bool
    /// Looked for after the others, in what they left.
    let isNormalized: Bool
  }

  /// The tokens that begin with each byte, the longest first.
  private let byFirstByte: [[Token]]
  let isEmpty: Bool

  init(_ tokens: [Token]) {
    var table = [[Token]](repeating: [], count: 256)
    for token in tokens where !token.content.isEmpty {
      table[Int(token.content[0])].append(token)
    }
    byFirstByte = table.map { $0.sorted { $0.content.count > $1.content.count } }
    isEmpty = table.allSatisfy(\.isEmpty)
  }

  /// Cuts a text: calls `body` with each part that is text, or with the token that stands there.
  func split(
    _ text: UnsafeBufferPointer<UInt8>,
    _ body: (_ part: UnsafeBufferPointer<UInt8>, _ token: UInt32?) -> Void
  ) {
    var done = 0
    var position = 0
    while position < text.count {
      let candidates = byFirstByte[Int(text[position])]
      guard !candidates.isEmpty,
        let token = candidates.first(where: { AddedTokens.matches($0, position, text) })
      else {
        position += 1
        continue
      }
      var start = position
      var end = position + token.content.count
      position = end
      if token.isSingleWord && !AddedTokens.isAlone(start, end, text) { continue }
      if token.stripsLeft { start = max(AddedTokens.spaceStart(before: start, text), done) }
      if token.stripsRight {
        end = Scanner.run(end, text, of: CharacterClasses.space)
        position = end
      }
      if done < start { body(UnsafeBufferPointer(rebasing: text[done..<start]), nil) }
      body(UnsafeBufferPointer(rebasing: text[start..<end]), token.id)
      done = end
    }
    if done < text.count { body(UnsafeBufferPointer(rebasing: text[done...]), nil) }
  }

  private static func matches(
    _ token: Token, _ position: Int, _ text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard position + token.content.count <= text.count else { return false }
    for (index, byte) in token.content.enumerated() where text[position + index] != byte {
      return false
    }
    return true
  }

  private static func isAlone(
    _ start: Int, _ end: Int, _ text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    if let before = UTF8Scalar.decode(before: start, text), isWord(before.value) { return false }
    guard end < text.count, let after = UTF8Scalar.decode(end, text) else { return true }
    return !isWord(after.value)
  }

  private static func spaceStart(
    before start: Int, _ text: UnsafeBufferPointer<UInt8>
  ) -> Int {
    var position = start
    while let character = UTF8Scalar.decode(before: position, text),
      CharacterClasses.shared.ofScalar(character.value) == CharacterClasses.space
    {
      position -= character.length
    }
    return position
  }

  /// `\w`: letters, marks, decimal digits, connectors, joiners.
  private static func isWord(_ value: UInt32) -> Bool {
    guard let properties = Unicode.Scalar(value)?.properties else { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
      return true
    default: return properties.isAlphabetic || properties.isJoinControl
    }
  }
}
