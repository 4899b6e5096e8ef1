import Corpus
import Foundation
import Training

/// Token shards: header, count, range of ids, the most frequent ones, the first text.
enum ShardInspection: Inspection {
  static let kind = "token shards (*.bin)"

  static func recognises(_ path: String) -> Bool { path.hasSuffix(".bin") }

  static func inspect(_ path: String, _ options: InspectOptions) throws {
    let shard = try TokenShard.open(path)
    let tokenizer = try tokenizer(options, beside: path)
    let counts = try TokenCounts(shard)
    print("file            \(path)")
    print("format          \(shard.format), \(shard.width.rawValue) bytes a token")
    print("tokens          \(shard.count)")
    guard shard.count > 0 else { return }
    print("ids             \(counts.lowest) to \(counts.highest), \(counts.distinct) different")
    if let tokenizer {
      print("tokenizer       \(tokenizer.name), \(tokenizer.vocabularySize) ids")
      if counts.highest >= tokenizer.vocabularySize {
        print("                the shard's ids are not all below that: it is another's")
      }
      if let end = tokenizer.endOfText {
        print("documents       \(counts[end]) (end-of-text is \(end))")
      }
    }
    var table = TextTable(["token", "count", "share", tokenizer == nil ? "" : "text"])
    for (id, count) in counts.top(options.top) {
      let share = fixed(100 * Double(count) / Double(shard.count), 2) + "%"
      let text = tokenizer.map { quoted($0.decode([UInt32(truncatingIfNeeded: id)])) } ?? ""
      table.add(["\(id)", "\(count)", share, text])
    }
    if options.top > 0 { print("\n" + table.text) }
    let first = (0..<min(options.tokens, shard.count)).map { UInt32(truncatingIfNeeded: shard[$0]) }
    guard let tokenizer, !first.isEmpty else { return }
    print("\nThe first \(first.count) tokens:")
    print(String(decoding: tokenizer.decode(first), as: UTF8.self))
  }

  private static func tokenizer(
    _ options: InspectOptions, beside path: String
  ) throws -> (any Tokenizer)? {
    if let name = options.tokenizer { return try RunData.tokenizer(name) }
    return try PreparedFolder.tokenizer(of: [path])
  }

  /// Bytes as one printable line.
  private static func quoted(_ bytes: [UInt8]) -> String {
    var text = ""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case "\u{FFFD}": return bytes.map { "\\x" + hexadecimal($0) }.joined()
      default:
        text +=
          scalar.properties.generalCategory == .control
          ? "\\u{" + String(scalar.value, radix: 16) + "}" : String(scalar)
      }
    }
    return "\"\(text)\""
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}

/// How often each id of a shard occurs.
struct TokenCounts {
  private var counts: [Int: Int] = [:]
  private(set) var lowest = Int.max
  private(set) var highest = Int.min

  /// Reads the shard once.
  init(_ shard: TokenShard) throws {
    // Most ids are small; an array is quick for them, a dictionary safe for the rest.
    var small = [Int](repeating: 0, count: 1 << 18)
    for index in 0..<shard.count {
      let id = shard[index]
      lowest = min(lowest, id)
      highest = max(highest, id)
      if id >= 0 && id < small.count { small[id] += 1 } else { counts[id, default: 0] += 1 }
    }
    for (id, count) in small.enumerated() where count > 0 { counts[id] = count }
  }

  /// The number of ids that occur.
  var distinct: Int { counts.count }

  /// Occurrences of an id.
  subscript(_ id: Int) -> Int { counts[id] ?? 0 }

  /// The most frequent ids, ties by id.
  func top(_ limit: Int) -> [(id: Int, count: Int)] {
    let sorted = counts.sorted { $0.value > $1.value || $0.value == $1.value && $0.key < $1.key }
    return sorted.prefix(limit).map { (id: $0.key, count: $0.value) }
  }
}
