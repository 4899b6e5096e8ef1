/// A small JSON reader that keeps the order of members and refuses repeated keys.
///
/// Foundation's reader keeps the last of two equal keys silently, which the safetensors format
/// forbids. Depth is limited, so hostile headers cannot exhaust the stack.
package struct StrictJSON {
  /// A value; numbers keep their spelling, members their order.
  package indirect enum Value: Equatable, Sendable {
    case object([(String, Value)])
    case array([Value])
    case string(String)
    case number(String)
    case bool(Bool)
    case null

    package static func == (first: Value, second: Value) -> Bool {
      switch (first, second) {
      case (.object(let a), .object(let b)):
        a.count == b.count && zip(a, b).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 }
      case (.array(let a), .array(let b)): a == b
      case (.string(let a), .string(let b)): a == b
      case (.number(let a), .number(let b)): a == b
      case (.bool(let a), .bool(let b)): a == b
      case (.null, .null): true
      default: false
      }
    }
  }

  /// What is wrong and where; the caller adds the file.
  package struct Failure: Error {
    package let sentence: String
    init(_ sentence: String) { self.sentence = sentence }
  }

  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private static let maximumDepth = 32

  /// A reader of some text; the bytes must outlive it.
  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The one value of the text; only spaces may follow.
  package mutating func parse() throws -> Value {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw failure("something follows its end") }
    return value
  }

  private func failure(_ sentence: String) -> Failure { Failure("\(sentence) at byte \(position)") }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard take(UInt8(ascii: character)) else { throw failure("'\(character)' is missing") }
  }

  private mutating func value(depth: Int) throws -> Value {
    guard depth < StrictJSON.maximumDepth else { throw failure("it is nested too deeply") }
    skipSpace()
    guard position < bytes.count else { throw failure("it ends too early") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws -> Value {
    try expect("{")
    var members: [(String, Value)] = []
    var seen: Set<String> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipSpace()
      let key = try string()
      guard seen.insert(key).inserted else { throw failure("the key '\(key)' comes twice") }
      skipSpace()
      try expect(":")
      members.append((key, try value(depth: depth + 1)))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      try expect("}")
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws -> Value {
    try expect("[")
    var items: [Value] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      try expect("]")
      return .array(items)
    }
  }

  private mutating func word(_ text: String, _ value: Value) throws -> Value {
    for byte in text.utf8 {
      guard take(byte) else { throw failure("'\(text)' is misspelt") }
    }
    return value
  }

  private mutating func number() throws -> Value {
    let start = position
    while position < bytes.count,
      "+-.eE0123456789".utf8.contains(bytes[position])
    { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard !text.isEmpty, StrictJSON.startsAsNumber(text), Double(text) != nil else {
      throw failure("a value is missing")
    }
    return .number(text)
  }

  /// JSON knows neither +1 nor 01 nor .5 nor 5., which `Double` would take.
  private static func startsAsNumber(_ text: String) -> Bool {
    let digits = Array(text.utf8.drop { $0 == UInt8(ascii: "-") })
    let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard let first = digits.first, isDigit(first) else { return false }
    if first == UInt8(ascii: "0"), digits.count > 1, isDigit(digits[1]) { return false }
    if let point = digits.firstIndex(of: UInt8(ascii: ".")) {
      return point + 1 < digits.count && isDigit(digits[point + 1])
    }
    return true
  }

  private mutating func string() throws -> String {
    try expect("\"")
    var content: [UInt8] = []
    while true {
      guard position < bytes.count else { throw failure("a string does not end") }
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          throw failure("a string is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): try escape(into: &content)
      case 0..<0x20: throw failure("a string holds a control character")
      default: content.append(byte)
      }
    }
  }

  private mutating func escape(into content: inout [UInt8]) throws {
    guard position < bytes.count else { throw failure("a string does not end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      var code = try unit()
      if (0xD800..<0xDC00).contains(code) {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
          throw failure("half of a surrogate pair")
        }
        let low = try unit()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
      content += Array(String(Character(scalar)).utf8)
    default: throw failure("an unknown escape")
    }
  }

  private mutating func unit() throws -> UInt32 {
    guard position + 4 <= bytes.count else { throw failure("a string does not end") }
    let text = String(decoding: bytes[position..<position + 4], as: UTF8.self)
    guard text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
      let code = UInt32(text, radix: 16)
    else { throw failure("an escape that is not hexadecimal") }
    position += 4
    return code
  }
}
