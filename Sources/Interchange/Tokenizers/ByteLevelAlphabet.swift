/// The printable character that stands for each byte in byte-level BPE vocabularies.
///
/// Source: openai/gpt-2, `encoder.py`: printable Latin-1 bytes stand for themselves, the other 68,
/// in order, for U+0100 and up.
enum ByteLevelAlphabet {
  /// The character of each byte, as a string.
  static let characters: [String] = {
    var next: UInt32 = 0x100
    return (UInt32(0)..<256).map { byte in
      let isPrintable =
        (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
      let code = isPrintable ? byte : next
      if !isPrintable { next += 1 }
      return Unicode.Scalar(code).map { String(Character($0)) } ?? ""
    }
  }()
}
