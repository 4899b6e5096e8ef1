import Glibc

/// Writes llm.c shards: uint16 when the vocabulary fits, else uint32.
///
/// A shard is written under a temporary name, flushed to disk and renamed; on any error the
/// temporary file is removed.
public final class ShardWriter {
  private let folder: String
  private let name: String
  private let isWide: Bool
  private let tokensPerShard: Int
  private let firstIndex: Int
  private var buffer: [UInt8] = []
  private var pending = 0
  private var descriptor: Int32 = -1
  private var temporary = ""
  /// Finished files, in order.
  public private(set) var paths: [String] = []
  /// Tokens written so far.
  public private(set) var tokenCount = 0

  /// Files will be `<folder>/<name>_000000.bin` and so on, counted from `firstIndex`.
  ///
  /// - Parameter isWide: whether ids take four bytes even where two would do.
  public init(
    folder: String, name: String, vocabulary: Int, isWide: Bool = false,
    tokensPerShard: Int = 100_000_000, firstIndex: Int = 0
  ) {
    precondition(tokensPerShard > 0 && tokensPerShard < Int(Int32.max), "shard size")
    self.folder = folder
    self.name = name
    self.isWide = isWide || vocabulary > 65536
    self.tokensPerShard = tokensPerShard
    self.firstIndex = firstIndex
  }

  deinit { abandon() }

  /// Appends ids, starting new shards as they fill.
  public func append(_ ids: some Collection<UInt32>) throws {
    var rest = ids[...]
    while !rest.isEmpty {
      if descriptor < 0 { try begin() }
      let part = rest.prefix(min(tokensPerShard - pending, 1 << 18))
      add(part)
      rest = rest.dropFirst(part.count)
      if buffer.count >= 1 << 20 { try flush() }
      if pending == tokensPerShard { try finishShard() }
    }
  }

  private func add(_ ids: some Collection<UInt32>) {
    if isWide {
      for id in ids { withUnsafeBytes(of: id.littleEndian) { buffer += $0 } }
    } else {
      for id in ids {
        precondition(id < 65536, "id \(id) in a uint16 shard")
        buffer.append(UInt8(truncatingIfNeeded: id))
        buffer.append(UInt8(truncatingIfNeeded: id >> 8))
      }
    }
    pending += ids.count
    tokenCount += ids.count
  }

  /// Finishes the last shard.
  public func finish() throws {
    if descriptor >= 0 { try finishShard() }
  }

  /// Removes the unfinished shard, if any.
  public func abandon() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    unlink(temporary)
  }

  private func begin() throws {
    let number = String(firstIndex + paths.count)
    let padded = String(repeating: "0", count: max(0, 6 - number.count)) + number
    temporary = "\(folder)/.\(name)_\(padded).bin.tmp"
    descriptor = open(temporary, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw CorpusError.system("create", temporary, errno) }
    buffer = [UInt8](repeating: 0, count: LLMCShard.headerBytes)
    pending = 0
  }

  private func flush() throws {
    do {
      try writeAll(buffer, at: nil)
    } catch {
      abandon()
      throw error
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private func finishShard() throws {
    try flush()
    let (magic, version) = isWide ? LLMCShard.uint32 : LLMCShard.uint16
    var header: [UInt8] = []
    for word in [magic, version, Int32(pending)] {
      withUnsafeBytes(of: word.littleEndian) { header += $0 }
    }
    let final =
      "\(folder)/\(temporary.split(separator: "/").last.map { $0.dropFirst().dropLast(4) } ?? "")"
    do {
      try writeAll(header, at: 0)
      guard fsync(descriptor) == 0 else { throw CorpusError.system("flush", temporary, errno) }
      guard rename(temporary, final) == 0 else {
        throw CorpusError.system("rename to '\(final)'", temporary, errno)
      }
    } catch {
      abandon()
      throw error
    }
    close(descriptor)
    descriptor = -1
    let directory = open(folder, O_RDONLY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
    paths.append(final)
  }

  private func writeAll(_ bytes: [UInt8], at position: off_t?) throws {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { all -> Int in
        guard let base = all.baseAddress else { return 0 }
        if let position {
          return pwrite(descriptor, base + written, all.count - written, position + written)
        }
        return write(descriptor, base + written, all.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw CorpusError(
          "cannot write '\(temporary)': \(String(cString: strerror(errno))); "
            + "free space on that disk or choose another --output")
      }
      written += count
    }
  }
}
