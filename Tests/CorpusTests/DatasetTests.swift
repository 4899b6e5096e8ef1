import Corpus
import Foundation
import Testing

@Suite struct DatasetTests {
  private func source(_ ids: Range<UInt32>) -> TokenArray { TokenArray(Array(ids), name: "test") }

  @Test func windowsFollowEachOtherAndCrossNoShard() throws {
    let dataset = try TokenDataset(
      [source(0..<10), source(100..<102), source(200..<207)], name: "x", sequenceLength: 3)
    // (10 − 1) / 3 = 3, then none, then (7 − 1) / 3 = 2.
    #expect(dataset.windowCount == 5)
    #expect(dataset.tokenCount == 19)
    #expect(dataset.window(0).tokens == [0, 1, 2] && dataset.window(0).targets == [1, 2, 3])
    #expect(dataset.window(2).tokens == [6, 7, 8] && dataset.window(2).targets == [7, 8, 9])
    #expect(dataset.window(3).tokens == [200, 201, 202])
    #expect(dataset.window(4).targets == [204, 205, 206])
  }

  @Test func tooLittleDataIsRefused() throws {
    var error = #expect(throws: CorpusError.self) {
      try TokenDataset([source(0..<8), source(0..<8)], name: "small", sequenceLength: 8)
    }
    #expect(error?.description.contains("'small' holds 16 tokens, fewer than") == true)
    #expect(error?.description.contains("= 9 in any one shard") == true)
    #expect(try TokenDataset([source(0..<9)], name: "x", sequenceLength: 8).windowCount == 1)
    error = #expect(throws: CorpusError.self) {
      try TokenDataset([source(0..<0)], name: "none", sequenceLength: 8)
    }
    #expect(error?.description.contains("'none' holds no tokens") == true)
  }

  @Test func aFolderGivesTheShardsOfAPart() throws {
    let folder = try TemporaryFolder()
    func shard(_ name: String, _ first: UInt16) throws {
      try folder.write(ShardTests.bytes(count: 3, [first, 1, 2]), name)
    }
    func first(_ part: String) throws -> [Int32] {
      let dataset = try TokenDataset.open(
        folder.path, part: part, sequenceLength: 2, vocabulary: 100)
      return (0..<dataset.windowCount).map { dataset.window($0).tokens[0] }
    }
    #expect(throws: CorpusError.self) { try first("train") }
    try shard("only_000000.bin", 3)
    #expect(try first("train") == [3] && first("val") == [3])
    // Which part a shard is for is said last in its name, whatever the name of the set.
    try shard("training-set_val_000000.bin", 10)
    try shard("training-set_train_000001.bin", 12)
    try shard("training-set_train_000000.bin", 11)
    try shard(".hidden_train_000000.bin", 50)
    #expect(try first("train") == [11, 12])
    #expect(try first("val") == [10])
    let error = #expect(throws: CorpusError.self) {
      try TokenDataset.open(
        folder.path + "/no", part: "train", sequenceLength: 2, vocabulary: 9)
    }
    #expect(error?.description.contains("does not exist") == true)
  }
}
