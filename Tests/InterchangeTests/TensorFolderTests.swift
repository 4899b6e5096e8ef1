import Foundation
import Interchange
import Testing

@Suite struct TensorFolderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func tensors(_ count: Int) -> [TensorToWrite] {
    (0..<count).map { index in
      TensorToWrite("t\(index)", .float32, shape: [4]) {
        .floats((0..<4).map { Float(10 * index + $0) })
      }
    }
  }

  private func sentence() -> String {
    do {
      _ = try TensorFolder(folder.path)
      return ""
    } catch { return "\(error)" }
  }

  @Test func smallModelsAreOneFile() throws {
    #expect(
      try TensorFolderWriter.write(tensors(3), folder: folder.path, shardBytes: 48)
        == ["model.safetensors"])
    let read = try TensorFolder(folder.path)
    #expect(read.entries.map(\.name) == ["t0", "t1", "t2"])
    #expect(try read.floats("t2", count: 4) == [20, 21, 22, 23])
  }

  @Test func largeOnesAreShardsThatTheIndexLists() throws {
    let names = try TensorFolderWriter.write(tensors(5), folder: folder.path, shardBytes: 32)
    #expect(
      names == [
        "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
        "model-00003-of-00003.safetensors", "model.safetensors.index.json",
      ])
    let index = String(decoding: try folder.read("model.safetensors.index.json"), as: UTF8.self)
    #expect(index.contains(#""total_size": 80"#))
    #expect(index.contains(#""t2": "model-00002-of-00003.safetensors""#))
    let read = try TensorFolder(folder.path)
    for number in 0..<5 {
      #expect(try read.floats("t\(number)", count: 4)[1] == Float(10 * number + 1))
    }
    // A tensor above the limit has a shard of its own.
    let other = try TemporaryFolder()
    #expect(
      try TensorFolderWriter.write(tensors(2), folder: other.path, shardBytes: 1).count == 3)
  }

  @Test func disagreementsAreNamed() throws {
    #expect(sentence().contains("holds neither model.safetensors nor"))
    let index = folder.file("model.safetensors.index.json")
    _ = try TensorFolderWriter.write(tensors(4), folder: folder.path, shardBytes: 32)
    let good = String(decoding: try folder.read("model.safetensors.index.json"), as: UTF8.self)

    func changed(_ from: String, _ to: String) throws -> String {
      try AtomicFile.write(good.replacing(from, with: to), to: index)
      return sentence()
    }
    #expect(
      try changed(#""t1": "model-00001"#, #""t1": "model-00002"#)
        .contains("holds the tensor 't1', but"))
    #expect(try changed(#""t1":"#, #""other":"#).contains("does not list it"))
    #expect(try changed(#""metadata""#, #""other": 1, "metadata""#).isEmpty)
    #expect(
      try changed(#""t0": "model-"#, #""t0": "../model-"#).contains("file of the same folder"))
    #expect(try changed("weight_map", "weightmap").contains("has no weight_map"))
    #expect(try changed(#"{"#, #"["#).contains("not JSON"))
    #expect(
      try changed(#""t3": "model-"#, #""t9": "model-00002-of-00002.safetensors", "t3": "model-"#)
        .contains("lists the tensor 't9', but its file does not hold it"))
    try AtomicFile.write(good, to: index)
    #expect(sentence().isEmpty)
    try FileManager.default.removeItem(atPath: folder.file("model-00002-of-00002.safetensors"))
    #expect(sentence().contains("No such file"))
  }
}
