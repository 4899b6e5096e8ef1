/// The bytes that each token id stands for, and the way back.
final class TokenTexts: Sendable {
  /// Bytes of all tokens, one after the other.
  private let bytes: [UInt8]
  /// Where each token begins; one more at the end.
  private let starts: [Int]
  /// Ids by the hash of their bytes, open addressing; −1 where there is none.
  private let slots: [Int32]

  /// The bytes of ids 0, 1, …; an id without a token is nil.
  ///
  /// Only ids of `searchable` are found by their bytes.
  init(_ tokens: [[UInt8]?], searchable: [UInt32]) {
    var bytes: [UInt8] = []
    var starts = [0]
    for token in tokens {
      bytes += token ?? []
      starts.append(bytes.count)
    }
    var size = 16
    while size < searchable.count * 2 { size *= 2 }
    var slots = [Int32](repeating: -1, count: size)
    for id in searchable {
      var index = 0
      (tokens[Int(id)] ?? []).withUnsafeBufferPointer {
        index = TokenTexts.hash($0) & (size - 1)
      }
      while slots[index] >= 0 { index = (index + 1) & (size - 1) }
      slots[index] = Int32(id)
    }
    self.bytes = bytes
    self.starts = starts
    self.slots = slots
  }

  /// Ids are below this.
  var count: Int { starts.count - 1 }

  /// Appends the bytes of an id; an unknown one has none.
  func append(_ id: UInt32, to result: inout [UInt8]) {
    guard id < count else { return }
    result += bytes[starts[Int(id)]..<starts[Int(id) + 1]]
  }

  /// The searchable id of some bytes.
  func id(of text: UnsafeBufferPointer<UInt8>) -> UInt32? {
    var index = TokenTexts.hash(text) & (slots.count - 1)
    while slots[index] >= 0 {
      let id = Int(slots[index])
      if starts[id + 1] - starts[id] == text.count
        && bytes[starts[id]..<starts[id + 1]].elementsEqual(text)
      {
        return UInt32(id)
      }
      index = (index + 1) & (slots.count - 1)
    }
    return nil
  }

  private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: (value ^ value >> 32) & 0x7FFF_FFFF)
  }
}
