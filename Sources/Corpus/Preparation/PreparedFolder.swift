import Foundation

/// A folder of shards as `krait prepare` leaves it: shards, the tokenizer, `prepared.json`.
public enum PreparedFolder {
  /// The tokenizer that made the shards of a folder.
  public static let tokenizerName = "tokenizer.json"

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
