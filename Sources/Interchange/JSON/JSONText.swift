extension StrictJSON.Value {
  /// The value of a whole file.
  ///
  /// - Throws: `InterchangeError` that names the file and the byte where it goes wrong.
  package static func read(_ path: String) throws -> StrictJSON.Value {
    let file = try MappedBytes(path)
    var reader = StrictJSON(file.bytes)
    do {
      return try reader.parse()
    } catch let failure as StrictJSON.Failure {
      throw InterchangeError("'\(path)' is not JSON: \(failure.sentence)")
    }
  }

  /// A whole number.
  package static func integer(_ value: Int) -> StrictJSON.Value { .number(String(value)) }

  /// A finite number, in the shortest spelling that reads back as the same.
  package static func double(_ value: Double) -> StrictJSON.Value {
    precondition(value.isFinite, "JSON has no \(value)")
    return .number("\(value)")
  }

  /// The member of an object, or nil; an explicit null counts as absent.
  package subscript(_ key: String) -> StrictJSON.Value? {
    guard case .object(let members) = self,
      let member = members.first(where: { $0.0 == key })?.1, member != .null
    else { return nil }
    return member
  }

  /// The value as text: members on lines of their own, indented by two spaces; lists of lists and
  /// lists of plain values on one line each.
  package var text: String {
    var result = ""
    write(into: &result, indent: 0)
    return result + "\n"
  }

  private var isPlain: Bool {
    switch self {
    case .object, .array: false
    default: true
    }
  }

  private func write(into text: inout String, indent: Int) {
    let space = String(repeating: "  ", count: indent + 1)
    let end = "\n" + String(repeating: "  ", count: indent)
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let spelling): text += spelling
    case .string(let value): text += QuotedText.of(value)
    case .array(let items):
      text += "["
      let isShort = items.allSatisfy(\.isPlain)
      for (index, item) in items.enumerated() {
        if index > 0 { text += isShort ? ", " : "," }
        if !isShort { text += "\n" + space }
        item.write(into: &text, indent: indent + 1)
      }
      text += isShort || items.isEmpty ? "]" : end + "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        text += (index > 0 ? ",\n" : "\n") + space + QuotedText.of(member.0) + ": "
        member.1.write(into: &text, indent: indent + 1)
      }
      text += members.isEmpty ? "}" : end + "}"
    }
  }
}
