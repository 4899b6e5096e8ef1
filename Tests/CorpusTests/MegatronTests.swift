import Corpus
import Foundation
import Testing

/// Megatron's pairs of `.bin` and `.idx`.
@Suite struct MegatronTests {
  struct Index {
    var magic = Array("MMIDIDX\0\0".utf8)
    var version: UInt64 = 1
    var code: UInt8
    var lengths: [Int32]
    var pointers: [Int64]?
    var width: Int

    var bytes: [UInt8] {
      var next: Int64 = 0
      let offsets = lengths.map { length -> Int64 in
        defer { next += Int64(length) * Int64(width) }
        return next
      }
      return magic + ShardTests.little(version) + [code] + ShardTests.little(UInt64(lengths.count))
        + ShardTests.little(UInt64(lengths.count + 1)) + lengths.flatMap(ShardTests.little)
        + (pointers ?? offsets).flatMap(ShardTests.little)
        + (0...lengths.count).flatMap { ShardTests.little(Int64($0)) }
    }
  }

  private func write(
    _ index: Index, data: [UInt8], into folder: TemporaryFolder
  ) throws -> String {
    try folder.write(index.bytes, "m.idx")
    return try folder.write(data, "m.bin")
  }

  @Test(arguments: [UInt8(1), 4, 5, 8])
  func everyTypeOfTokenIsRead(code: UInt8) throws {
    let ids = (0..<100).map { $0 * 2 }
    let (width, data): (Int, [UInt8]) =
      switch code {
      case 1: (1, ids.map { UInt8($0) })
      case 4: (4, ids.flatMap { ShardTests.little(Int32($0)) })
      case 5: (8, ids.flatMap { ShardTests.little(Int64($0)) })
      default: (2, ids.flatMap { ShardTests.little(UInt16($0)) })
      }
    let folder = try TemporaryFolder()
    let index = Index(code: code, lengths: [60, 0, 40], width: width)
    let shard = try TokenShard.open(write(index, data: data, into: folder), vocabulary: 199)
    #expect((0..<shard.count).map { shard[$0] } == ids)
    #expect(shard.format.hasPrefix("Megatron"))
    #expect(throws: CorpusError.self) { try TokenShard.open(shard.path, vocabulary: 198) }
  }

  @Test func aMultimodalIndexIsRead() throws {
    let folder = try TemporaryFolder()
    let index = Index(code: 8, lengths: [2, 1], width: 2)
    try folder.write(index.bytes + [0, 0], "m.idx")
    let path = try folder.write([1, 0, 2, 0, 3, 0], "m.bin")
    #expect(try TokenShard.open(path).count == 3)
  }

  @Test func negativeIdsAreRefused() throws {
    let folder = try TemporaryFolder()
    let index = Index(code: 5, lengths: [1], width: 8)
    let path = try write(index, data: ShardTests.little(Int64(-5)), into: folder)
    let error = #expect(throws: CorpusError.self) { try TokenShard.open(path, vocabulary: 10) }
    #expect(error?.description.contains("token id -5") == true)
  }

  @Test func damagedIndexesAreRefused() throws {
    let good = Index(code: 8, lengths: [2, 1], width: 2)
    let data: [UInt8] = [1, 0, 2, 0, 3, 0]
    func refusal(_ index: [UInt8], _ data: [UInt8]) throws -> String {
      let folder = try TemporaryFolder()
      try folder.write(index, "m.idx")
      let path = try folder.write(data, "m.bin")
      return #expect(throws: CorpusError.self) { try TokenShard.open(path) }?.description ?? ""
    }
    func changed(_ change: (inout Index) -> Void) -> [UInt8] {
      var index = good
      change(&index)
      return index.bytes
    }
    #expect(try refusal([], data).contains("0 bytes"))
    #expect(try refusal(changed { $0.magic[0] = 0x58 }, data).contains("MMIDIDX"))
    #expect(try refusal(changed { $0.version = 2 }, data).contains("version 2"))
    #expect(try refusal(changed { $0.code = 7 }, data).contains("type code 7"))
    #expect(try refusal(good.bytes.dropLast(), data).contains("does not fit"))
    #expect(try refusal(good.bytes + [1], data).contains("does not fit"))
    #expect(try refusal(good.bytes, data.dropLast()).contains("has 5 bytes"))
    #expect(try refusal(good.bytes, data + [0]).contains("has 7 bytes"))
    #expect(try refusal(changed { $0.pointers = [0, 2] }, data).contains("sequence 1"))
    #expect(try refusal(changed { $0.lengths[0] = -2 }, data).contains("length -2"))
    // Counts that overflow must not trap.
    var huge = good.bytes
    for index in 18..<34 { huge[index] = 0xFF }
    #expect(try refusal(huge, data).contains("does not fit"))
  }

  /// Positions beyond 4 GiB: a file with a hole, which takes no disk.
  @Test func offsetsHaveSixtyFourBits() throws {
    let folder = try TemporaryFolder()
    let lengths: [Int32] = [2_000_000_000, 2_000_000_000, 500_000_000]
    try folder.write(Index(code: 1, lengths: lengths, width: 1).bytes, "m.idx")
    let path = try folder.write([], "m.bin")
    let size = 4_500_000_000
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.truncate(atOffset: UInt64(size))
    try file.seek(toOffset: UInt64(size - 3))
    try file.write(contentsOf: Data([7, 8, 9]))
    try file.close()
    let blocks = try URL(fileURLWithPath: path).resourceValues(
      forKeys: [.fileAllocatedSizeKey]
    ).fileAllocatedSize
    if let blocks { #expect(blocks < 1 << 20, "the file system does not know holes") }
    let shard = try TokenShard.open(path)
    #expect(shard.count == size)
    #expect(shard[size - 1] == 9)
    #expect(shard[Int(UInt32.max) + 5] == 0)
    let dataset = try TokenDataset([shard], name: "large", sequenceLength: 2)
    let last = dataset.window(dataset.windowCount - 1)
    #expect(dataset.windowCount == (size - 1) / 2)
    #expect(last.tokens.count == 2 && last.targets.last == 8)
  }
}
