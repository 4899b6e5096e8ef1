/// How text is cut into pieces that are then merged each on its own: the two regular expressions
/// that byte-level BPE is used with, as hand-written scanners.
enum SplitPattern: Sendable, Equatable {
  /// GPT-2's.
  case gpt2
  /// Llama 3's; numbers are cut after this many digits (Llama 3: 3; Qwen 2: 1).
  case llama3(digits: Int)
  /// The whole text is one piece.
  case none

  static let gpt2Expression =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  static func llama3Expression(numbers: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  /// The pattern of a regular expression, if it is a known one.
  init?(expression: String) {
    switch expression {
    case SplitPattern.gpt2Expression: self = .gpt2
    case SplitPattern.llama3Expression(numbers: #"\p{N}{1,3}"#): self = .llama3(digits: 3)
    case SplitPattern.llama3Expression(numbers: #"\p{N}"#): self = .llama3(digits: 1)
    default: return nil
    }
  }

  /// Calls `body` with the pieces of a text from left to right; together they are the text.
  func forEachPiece(
    _ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    var start = 0
    switch self {
    case .none: if !text.isEmpty { body(text) }
    case .gpt2:
      while start < text.count {
        let end = GPT2Scanner.end(start, text)
        body(UnsafeBufferPointer(rebasing: text[start..<end]))
        start = end
      }
    case .llama3(let digits):
      while start < text.count {
        let end = Llama3Scanner.end(start, text, digits: digits)
        body(UnsafeBufferPointer(rebasing: text[start..<end]))
        start = end
      }
    }
  }
}

/// What both scanners share.
enum Scanner {
  typealias Text = UnsafeBufferPointer<UInt8>

  /// The end of a run of characters of one class.
  @inline(__always)
  static func run(_ start: Int, _ text: Text, of kind: CharacterClasses.Class) -> Int {
    let classes = CharacterClasses.shared
    var position = start
    while position < text.count {
      let character = classes.at(position, text)
      guard character.class == kind else { break }
      position += character.length
    }
    return position
  }

  /// `\s+(?!\S)|\s+` at white space: the run without its last character when something follows,
  /// unless it is only one.
  static func spaces(_ start: Int, _ text: Text) -> Int {
    let classes = CharacterClasses.shared
    var position = start
    var last = start
    while position < text.count {
      let character = classes.at(position, text)
      guard character.class == CharacterClasses.space else { break }
      last = position
      position += character.length
    }
    return position == text.count || last == start ? position : last
  }

  /// The length of what follows an apostrophe in `'s|'t|'re|'ve|'m|'ll|'d`, with it; 0 for none.
  static func contraction(_ start: Int, _ text: Text, ignoringCase: Bool) -> Int {
    guard start + 1 < text.count, text[start] == 0x27 else { return 0 }
    func letter(_ position: Int) -> UInt8 {
      guard position < text.count else { return 0 }
      let byte = text[position]
      return ignoringCase && byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
    switch (letter(start + 1), letter(start + 2)) {
    case (0x73, _), (0x74, _), (0x6D, _), (0x64, _): return 2
    case (0x72, 0x65), (0x76, 0x65), (0x6C, 0x6C): return 3
    // The long s, U+017F, is an s when case is ignored.
    case (0xC5, 0xBF) where ignoringCase: return 3
    default: return 0
    }
  }
}

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
enum GPT2Scanner {
  /// The end of the piece that begins at a position.
  static func end(_ start: Int, _ text: Scanner.Text) -> Int {
    let contraction = Scanner.contraction(start, text, ignoringCase: false)
    if contraction > 0 { return start + contraction }
    let classes = CharacterClasses.shared
    var (kind, length) = classes.at(start, text)
    var first = start
    if text[start] == 0x20 && start + 1 < text.count {
      let next = classes.at(start + 1, text)
      if next.class != CharacterClasses.space {
        first = start + 1
        (kind, length) = next
      }
    }
    if kind == CharacterClasses.space { return Scanner.spaces(start, text) }
    return Scanner.run(first + length, text, of: kind)
  }
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|`
/// `\s*[\r\n]+|\s+(?!\S)|\s+`
enum Llama3Scanner {
  /// The end of the piece that begins at a position.
  static func end(_ start: Int, _ text: Scanner.Text, digits: Int) -> Int {
    let contraction = Scanner.contraction(start, text, ignoringCase: true)
    if contraction > 0 { return start + contraction }
    let classes = CharacterClasses.shared
    let byte = text[start]
    let (kind, length) = classes.at(start, text)
    if kind == CharacterClasses.letter {
      return Scanner.run(start + length, text, of: CharacterClasses.letter)
    }
    if kind == CharacterClasses.number { return numbers(start, text, digits: digits) }
    let second = start + length
    var after = CharacterClasses.Class(0)
    if second < text.count {
      after = classes.at(second, text).class
      if after == CharacterClasses.letter && byte != 0x0D && byte != 0x0A {
        return Scanner.run(second, text, of: CharacterClasses.letter)
      }
    }
    if kind == CharacterClasses.other || byte == 0x20 && after == CharacterClasses.other {
      return lineEnds(Scanner.run(second, text, of: CharacterClasses.other), text)
    }
    return spaces(start, text)
  }

  private static func numbers(_ start: Int, _ text: Scanner.Text, digits: Int) -> Int {
    let classes = CharacterClasses.shared
    var position = start
    for _ in 0..<digits {
      guard position < text.count else { break }
      let character = classes.at(position, text)
      guard character.class == CharacterClasses.number else { break }
      position += character.length
    }
    return position
  }

  private static func lineEnds(_ start: Int, _ text: Scanner.Text) -> Int {
    var position = start
    while position < text.count && (text[position] == 0x0A || text[position] == 0x0D) {
      position += 1
    }
    return position
  }

  /// White space up to its last line end; without a line end, as every scanner.
  private static func spaces(_ start: Int, _ text: Scanner.Text) -> Int {
    let end = Scanner.run(start, text, of: CharacterClasses.space)
    var position = end
    while position > start {
      if text[position - 1] == 0x0A || text[position - 1] == 0x0D { return position }
      position -= 1
    }
    return Scanner.spaces(start, text)
  }
}
