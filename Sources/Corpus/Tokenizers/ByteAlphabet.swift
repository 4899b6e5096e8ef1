/// The alphabet in which byte-level BPE writes bytes as characters.
///
/// Printable Latin-1 bytes (33–126, 161–172, 174–255) stand for themselves; the other 68 are, in
/// increasing order, U+0100, U+0101 and so on: a space is `Ġ`, a newline `Ċ`.
enum ByteAlphabet {
  /// The character of each byte.
  static let characters: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).map { (byte: UInt32) in
      let value: UInt32
      switch byte {
      case 33...126, 161...172, 174...255: value = byte
      default:
        value = next
        next += 1
      }
      return Unicode.Scalar(value) ?? "?"
    }
  }()

  /// The byte of each character of the alphabet, by scalar value; −1 where there is none.
  private static let bytes: [Int16] = {
    var table = [Int16](repeating: -1, count: 0x144)
    for (byte, character) in characters.enumerated() { table[Int(character.value)] = Int16(byte) }
    return table
  }()

  /// The bytes that a token's text stands for; nil when a character is not of the alphabet.
  static func bytes(of text: String) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      guard scalar.value < bytes.count, let byte = UInt8(exactly: bytes[Int(scalar.value)])
      else { return nil }
      result.append(byte)
    }
    return result
  }

  /// The text that stands for some bytes.
  static func text(of bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(characters[Int(byte)]) }
    return String(text)
  }
}
