/// A file of token ids, memory-mapped and checked when opened.
///
/// Three formats: llm.c's uint16 and uint32 shards, and Megatron's `.bin` with its `.idx`.
public final class TokenShard: Sendable {
  /// How ids are stored.
  public enum Width: Int, Sendable {
    case uint8 = 1
    case uint16 = 2
    case int32 = 4
    case int64 = 8
  }

  /// Where it came from.
  public let path: String
  /// The number of tokens.
  public let count: Int
  /// How each id is stored.
  public let width: Width
  /// For people: `llm.c uint16` and so on.
  public let format: String
  private let file: MappedFile
  private let offset: Int

  init(file: MappedFile, offset: Int, count: Int, width: Width, format: String) {
    self.file = file
    path = file.path
    self.offset = offset
    self.count = count
    self.width = width
    self.format = format
  }

  /// Opens a `.bin` shard and checks size, magic, version and, when a vocabulary is given, that
  /// every id is below it.
  ///
  /// A `.bin` that stands beside an `.idx` of the same name is Megatron's.
  /// - Throws: `CorpusError` that names the file, what was found and what to do.
  public static func open(_ path: String, vocabulary: Int? = nil) throws -> TokenShard {
    let shard =
      try MegatronIndex.exists(beside: path)
      ? MegatronIndex.shard(path) : LLMCShard.shard(try MappedFile(path))
    if let vocabulary { try shard.check(vocabulary: vocabulary) }
    return shard
  }

  /// The id at a position.
  public subscript(_ index: Int) -> Int {
    precondition(index >= 0 && index < count, "token \(index) of \(count)")
    let at = offset + index * width.rawValue
    switch width {
    case .uint8: return Int(file.bytes[at])
    case .uint16: return Int(file.integer(at: at, as: UInt16.self))
    case .int32: return Int(file.integer(at: at, as: UInt32.self))
    case .int64: return Int(truncatingIfNeeded: file.integer(at: at, as: Int64.self))
    }
  }

  /// Copies ids from a position on.
  public func copy(from start: Int, into target: UnsafeMutableBufferPointer<Int32>) {
    precondition(
      start >= 0 && start + target.count <= count,
      "tokens \(start)..<\(start + target.count) of \(count)")
    for index in 0..<target.count { target[index] = Int32(truncatingIfNeeded: self[start + index]) }
  }

  /// Reads every id once.
  ///
  /// - Throws: `CorpusError` naming the first id that is not below `vocabulary`.
  public func check(vocabulary: Int) throws {
    if width == .uint16 && vocabulary > 65535 || width == .uint8 && vocabulary > 255 { return }
    for index in 0..<count {
      let id = self[index]
      guard id >= 0 && id < vocabulary else {
        throw CorpusError(
          "'\(path)' holds token id \(id) at position \(index), but the model's vocabulary is "
            + "\(vocabulary); set model.vocabulary above the largest id, or prepare the text "
            + "with the model's tokenizer")
      }
    }
  }
}
