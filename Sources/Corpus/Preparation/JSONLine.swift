import Foundation

/// The text in a line of JSON.
enum JSONLine {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct Object: Decodable {
    let text: String?
    let keys: [String]

    init(from decoder: any Decoder) throws {
      let object = try decoder.container(keyedBy: Key.self)
      guard let name = decoder.userInfo[JSONLine.field] as? String else {
        text = nil
        keys = []
        return
      }
      text = try? object.decode(String.self, forKey: Key(stringValue: name))
      keys = text == nil ? object.allKeys.map(\.stringValue).sorted() : []
    }
  }

  private static let field: CodingUserInfoKey = {
    guard let key = CodingUserInfoKey(rawValue: "field") else { fatalError("a key has a name") }
    return key
  }()

  /// Reads a field of the object in a line.
  ///
  /// - Throws: `CorpusError` naming file and line.
  static func text(_ document: Document, field name: String) throws -> [UInt8] {
    let decoder = JSONDecoder()
    decoder.userInfo[field] = name
    let place = "line \(document.line) of '\(document.file.path)'"
    let object: Object
    do {
      object = try decoder.decode(Object.self, from: Data(document.bytes))
    } catch {
      throw CorpusError("\(place) is not a JSON object; each line must be one")
    }
    guard let text = object.text else {
      let keys = object.keys.isEmpty ? "none" : object.keys.joined(separator: ", ")
      throw CorpusError(
        "\(place) has no text in the field '\(name)' (fields: \(keys)); name the right one with "
          + "--field")
    }
    return Array(text.utf8)
  }
}
