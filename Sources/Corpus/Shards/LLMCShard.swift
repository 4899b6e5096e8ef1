/// llm.c's shards: 256 little-endian int32 words (magic, version, count, zeros), then ids.
///
/// Source of the format: karpathy/llm.c, `dev/data/data_common.py`.
enum LLMCShard {
  /// Bytes before the first id.
  static let headerBytes = 1024
  /// magic, version and stored width of the two variants.
  static let uint16: (magic: Int32, version: Int32) = (20_240_520, 1)
  static let uint32: (magic: Int32, version: Int32) = (20_240_801, 7)

  static func shard(_ file: MappedFile) throws -> TokenShard {
    let path = file.path
    guard file.bytes.count >= headerBytes else {
      throw CorpusError(
        "'\(path)' has \(file.bytes.count) bytes, less than the \(headerBytes) of a shard's "
          + "header; it is empty or cut off: make it again with 'krait prepare'")
    }
    let magic = file.integer(at: 0, as: Int32.self)
    let version = file.integer(at: 4, as: Int32.self)
    let count = Int(file.integer(at: 8, as: Int32.self))
    let known: (width: TokenShard.Width, version: Int32, name: String)
    switch magic {
    case uint16.magic: known = (.uint16, uint16.version, "llm.c uint16")
    case uint32.magic: known = (.int32, uint32.version, "llm.c uint32")
    default:
      throw CorpusError(
        "'\(path)' starts with the magic number \(magic), not \(uint16.magic) or "
          + "\(uint32.magic); it is not a token shard: make one with 'krait prepare'")
    }
    guard version == known.version else {
      throw CorpusError(
        "'\(path)' is version \(version) of \(known.name) shards; Krait reads version "
          + "\(known.version)")
    }
    let expected = headerBytes + max(count, 0) * known.width.rawValue
    guard count >= 0 && file.bytes.count == expected else {
      throw CorpusError(
        "'\(path)' promises \(count) tokens, so \(expected) bytes, but has "
          + "\(file.bytes.count); it was cut off or damaged: make it again with 'krait prepare'")
    }
    return TokenShard(
      file: file, offset: headerBytes, count: count, width: known.width, format: known.name)
  }
}
