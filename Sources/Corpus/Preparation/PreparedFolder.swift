import Foundation

/// A folder of shards as `krait prepare` leaves it: shards, the tokenizer, `prepared.json`.
public enum PreparedFolder {
  /// The tokenizer that made the shards of a folder.
  public static let tokenizerName = "tokenizer.json"
  /// What was prepared; written last.
  public static let manifestName = "prepared.json"

  /// The `tokenizer.json` beside shards: in a folder of shards, or in the folder of a shard.
  public static func tokenizerPath(of path: String) -> String? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    let folder =
      isFolder.boolValue ? path : URL(fileURLWithPath: path).deletingLastPathComponent().path
    let file = folder + "/" + tokenizerName
    return FileManager.default.fileExists(atPath: file) ? file : nil
  }

  /// The tokenizer that lies beside all of some shards or folders of shards; nil when none has
  /// one, so that they are bytes or of unknown making.
  ///
  /// - Throws: `CorpusError` when it cannot be read or when they have different ones.
  public static func tokenizer(of paths: [String]) throws -> BPETokenizer? {
    var first: (path: String, file: String?, bytes: Data?)?
    for path in paths {
      let file = tokenizerPath(of: path)
      let bytes = file.flatMap { FileManager.default.contents(atPath: $0) }
      if let first, first.bytes != bytes {
        throw CorpusError(
          "'\(first.path)' and '\(path)' were made with different tokenizers; prepare them with "
            + "one, or name theirs with data.tokenizer if they are the same after all")
      }
      first = first ?? (path, file, bytes)
    }
    return try first?.file.map { try BPETokenizer($0) }
  }
}

/// What `krait prepare` says of a folder it made: `prepared.json`.
public struct PreparedManifest: Codable, Sendable, Equatable {
  /// `bytes`, or `tokenizer.json` in the same folder.
  public let tokenizer: String
  /// Ids are below this.
  public let vocabulary: Int
  /// The id before each document.
  public let endOfText: Int?
  /// To train on, and to evaluate on.
  public let train: Part
  public let validation: Part

  /// The shards of one part.
  public struct Part: Codable, Sendable, Equatable {
    public let documents: Int
    /// Bytes of text.
    public let bytes: Int
    public let tokens: Int
    /// Names of files.
    public let shards: [String]
  }

  /// The file's contents, always the same for the same values.
  var json: [UInt8] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return [UInt8](try encoder.encode(self)) + [0x0A]
    }
  }
}

extension StagedFolder {
  /// Copies the tokenizer of shards beside them; bytes need none.
  func keep(_ tokenizer: any Tokenizer) throws {
    guard let tokenizer = tokenizer as? BPETokenizer else { return }
    guard let contents = FileManager.default.contents(atPath: tokenizer.name) else {
      throw CorpusError("cannot read the tokenizer '\(tokenizer.name)' any more")
    }
    try write([UInt8](contents), PreparedFolder.tokenizerName)
    try write(
      Array(TokenizerConfigFile.text(endOfText: tokenizer.endOfTextContent).utf8),
      TokenizerConfigFile.fileName)
  }
}
