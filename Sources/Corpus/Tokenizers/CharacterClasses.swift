/// What pre-tokenizers ask about characters: letter (`\p{L}`), number (`\p{N}`), white space
/// (`\s`), or none of them.
///
/// Classes are those of Unicode 16.0, which Hugging Face `tokenizers` 0.23 has. Swift 6.3 knows
/// Unicode 17.0; characters that it added count as unassigned, so that ids do not change with the
/// compiler.
package struct CharacterClasses: Sendable {
  /// A set of classes, one bit each.
  package typealias Class = UInt8
  package static let letter: Class = 1
  package static let number: Class = 2
  package static let space: Class = 4
  package static let other: Class = 8

  /// The one table; it lives as long as the process.
  package static let shared = CharacterClasses()

  private static let tableCount = 0x20000
  /// The class of every scalar below `tableCount`; those above are rare and computed.
  private nonisolated(unsafe) let table: UnsafePointer<Class>

  private init() {
    let classes = UnsafeMutablePointer<Class>.allocate(capacity: CharacterClasses.tableCount)
    for value in 0..<CharacterClasses.tableCount {
      classes[value] = CharacterClasses.compute(UInt32(value))
    }
    table = UnsafePointer(classes)
  }

  private static func compute(_ value: UInt32) -> Class {
    guard let scalar = Unicode.Scalar(value) else { return other }
    let properties = scalar.properties
    if properties.isWhitespace { return space }
    let result: Class
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      result = letter
    case .decimalNumber, .letterNumber, .otherNumber: result = number
    default: return other
    }
    guard let age = properties.age, age.major <= 16 else { return other }
    return result
  }

  /// The class of a scalar value.
  @inline(__always)
  package func ofScalar(_ value: UInt32) -> Class {
    value < UInt32(CharacterClasses.tableCount)
      ? table[Int(value)] : CharacterClasses.compute(value)
  }

  /// The class and the length in bytes of the character at a position.
  ///
  /// A byte that begins no well-formed UTF-8 character is a character of its own, of class
  /// `other`.
  @inline(__always)
  func at(_ position: Int, _ text: UnsafeBufferPointer<UInt8>) -> (class: Class, length: Int) {
    let lead = text[position]
    if lead < 0x80 { return (table[Int(lead)], 1) }
    return beyondASCII(position, text)
  }

  private func beyondASCII(
    _ position: Int, _ text: UnsafeBufferPointer<UInt8>
  ) -> (class: Class, length: Int) {
    guard let (value, length) = UTF8Scalar.decode(position, text) else {
      return (CharacterClasses.other, 1)
    }
    return (ofScalar(value), length)
  }
}

/// One character out of bytes.
enum UTF8Scalar {
  /// The scalar that begins at a position, and its length; nil when it is not well-formed.
  static func decode(
    _ position: Int, _ text: UnsafeBufferPointer<UInt8>
  ) -> (value: UInt32, length: Int)? {
    let lead = UInt32(text[position])
    let length: Int
    var value: UInt32
    let lowest: UInt32
    switch lead {
    case 0..<0x80: return (lead, 1)
    case 0xC2..<0xE0: (length, value, lowest) = (2, lead & 0x1F, 0x80)
    case 0xE0..<0xF0: (length, value, lowest) = (3, lead & 0x0F, 0x800)
    case 0xF0..<0xF5: (length, value, lowest) = (4, lead & 0x07, 0x10000)
    default: return nil
    }
    guard position + length <= text.count else { return nil }
    for index in 1..<length {
      let byte = UInt32(text[position + index])
      guard byte & 0xC0 == 0x80 else { return nil }
      value = value << 6 | byte & 0x3F
    }
    guard value >= lowest, value <= 0x10FFFF, !(0xD800..<0xE000).contains(value) else {
      return nil
    }
    return (value, length)
  }

  /// The scalar that ends before a position; nil when it is not well-formed.
  static func decode(
    before position: Int, _ text: UnsafeBufferPointer<UInt8>
  ) -> (value: UInt32, length: Int)? {
    var start = position - 1
    while start >= 0 && position - start <= 4 {
      if text[start] & 0xC0 != 0x80 {
        guard let scalar = decode(start, text), start + scalar.length == position else {
          return nil
        }
        return scalar
      }
      start -= 1
    }
    return nil
  }
}
