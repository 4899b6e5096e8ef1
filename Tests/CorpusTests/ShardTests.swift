import Corpus
import Foundation
import Testing

/// llm.c's shards, written and read, and everything that can be wrong with them.
@Suite struct ShardTests {
  /// A shard with a header of one's own.
  static func bytes(
    magic: Int32 = 20_240_520, version: Int32 = 1, count: Int32, _ tokens: [UInt16]
  ) -> [UInt8] {
    var words = [Int32](repeating: 0, count: 256)
    (words[0], words[1], words[2]) = (magic, version, count)
    return words.flatMap { little($0) } + tokens.flatMap { little($0) }
  }

  static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  /// The sentence that opening a file with these bytes gives.
  private func refusal(_ bytes: [UInt8], vocabulary: Int? = nil) throws -> String {
    let folder = try TemporaryFolder()
    let path = try folder.write(bytes, "x.bin")
    let error = #expect(throws: CorpusError.self) {
      try TokenShard.open(path, vocabulary: vocabulary)
    }
    let text = error?.description ?? ""
    #expect(text.contains(path))
    return text
  }

  @Test(arguments: [false, true])
  func whatIsWrittenIsRead(isWide: Bool) throws {
    let folder = try TemporaryFolder()
    let ids = (0..<1000).map { UInt32($0 * 65 + 1) }
    let writer = ShardWriter(
      folder: folder.path, name: "a_train", vocabulary: 65536, isWide: isWide, tokensPerShard: 300)
    try writer.append(ids[..<7])
    try writer.append(ids[7..<950])
    try writer.append(ids[950...])
    try writer.finish()
    #expect(folder.names == (0...3).map { "a_train_00000\($0).bin" })
    #expect(writer.tokenCount == 1000)
    let shards = try writer.paths.map { try TokenShard.open($0, vocabulary: 65536) }
    #expect(shards.map(\.count) == [300, 300, 300, 100])
    #expect(shards.allSatisfy { $0.width == (isWide ? .int32 : .uint16) })
    #expect(shards.flatMap { shard in (0..<shard.count).map { shard[$0] } } == ids.map(Int.init))
    var copied = [Int32](repeating: 0, count: 50)
    copied.withUnsafeMutableBufferPointer { shards[1].copy(from: 100, into: $0) }
    #expect(copied == ids[400..<450].map(Int32.init))
    let size = try FileManager.default.attributesOfItem(atPath: shards[3].path)[.size] as? Int
    #expect(size == 1024 + 100 * (isWide ? 4 : 2))
  }

  @Test func largeVocabulariesTakeFourBytes() throws {
    let folder = try TemporaryFolder()
    let writer = ShardWriter(folder: folder.path, name: "a", vocabulary: 65537)
    try writer.append([65536])
    try writer.finish()
    #expect(try TokenShard.open(writer.paths[0])[0] == 65536)
  }

  @Test func anUnfinishedShardLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let writer = ShardWriter(folder: folder.path, name: "a", vocabulary: 10)
    try writer.append([1, 2, 3])
    #expect(folder.names.allSatisfy { $0.hasPrefix(".") && $0.hasSuffix(".tmp") })
    writer.abandon()
    #expect(folder.names.isEmpty)
  }

  @Test func aFullDiskIsToldAndLeavesNothing() throws {
    let error = #expect(throws: CorpusError.self) {
      let writer = ShardWriter(folder: "/nowhere/at/all", name: "a", vocabulary: 10)
      try writer.append([1])
    }
    #expect(error?.description.contains("/nowhere/at/all") == true)
  }

  @Test func damagedFilesAreRefused() throws {
    #expect(try refusal([]).contains("0 bytes, less than the 1024"))
    #expect(try refusal([UInt8](repeating: 0, count: 1023)).contains("1023 bytes"))
    let good = Self.bytes(count: 3, [1, 2, 3])
    #expect(try refusal(good.dropLast()).contains("promises 3 tokens, so 1030 bytes, but has 1029"))
    #expect(try refusal(good + [0]).contains("but has 1031"))
    #expect(try refusal(Self.bytes(count: -1, [])).contains("promises -1 tokens"))
    #expect(try refusal(Self.bytes(magic: 7, count: 0, [])).contains("magic number 7"))
    #expect(try refusal(Self.bytes(version: 2, count: 0, [])).contains("is version 2"))
    #expect(
      try refusal(Self.bytes(magic: 20_240_801, version: 1, count: 0, [])).contains("version 7"))
  }

  @Test func idsAboveTheVocabularyAreRefused() throws {
    let text = try refusal(Self.bytes(count: 4, [1, 9, 10, 2]), vocabulary: 10)
    #expect(text.contains("token id 10 at position 2"))
    #expect(text.contains("vocabulary is 10"))
  }

  @Test func everyByteOfTheHeaderMatters() throws {
    let folder = try TemporaryFolder()
    let good = Self.bytes(count: 3, [1, 2, 3])
    for index in 0..<12 {
      var bad = good
      bad[index] ^= 0x41
      let path = try folder.write(bad, "x.bin")
      #expect(throws: CorpusError.self, "byte \(index)") { try TokenShard.open(path) }
    }
  }

  @Test func aFolderIsNoShard() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: CorpusError.self) { try TokenShard.open(folder.path) }
    #expect(error?.description.contains("is not a file") == true)
  }
}
