import Compute
import ComputeCPU
import Corpus
import Foundation
import Interchange
import Testing
import Training
import Transformer

@Suite final class ModelExportTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("krait-export-\(UUID().uuidString)").path
  private let backend = CPUBackend(threads: 1)

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func model(tied: Bool = false) throws -> LoadedModel {
    var shape = ModelConfiguration()
    shape.width = 32
    shape.hiddenWidth = 64
    shape.layers = 2
    shape.heads = 4
    shape.keyValueHeads = 2
    shape.headWidth = 6
    shape.vocabulary = 260
    shape.ropeTheta = 500_000
    shape.tiedEmbeddings = tied
    let model = try TransformerModel(shape, on: backend)
    try model.initialize(seed: 3)
    return LoadedModel(
      model: model, tokenizer: ByteTokenizer(), sequenceLength: 32, summary: "test", step: 7,
      configuration: nil)
  }

  private func export(_ model: LoadedModel, _ type: TensorType = .float32) -> ModelExport {
    ModelExport(model, type: type, name: "x", writer: "test")
  }

  private var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  private func sentence(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch { return "\(error)" }
  }

  @Test(arguments: [true, false], [TensorType.float32, .bfloat16, .float16])
  func aHuggingFaceFolderGivesTheSameLogits(_ tied: Bool, _ type: TensorType) throws {
    let original = try model(tied: tied)
    let report = try export(original, type).huggingFace(
      to: folder + "/out/", shardBytes: 20_000)
    #expect(names == ["out"])
    #expect(report.tensors == (tied ? 18 : 19))
    #expect((report.logitChange == 0) == (type == .float32))
    #expect(report.files.keys.contains("model.safetensors.index.json"))
    let read = try LoadedModel.open(folder + "/out", on: backend)
    #expect(read.model.configuration == original.model.configuration)
    #expect(read.tokenizer.name == "bytes")
    #expect(read.sequenceLength == 32)
    // The exported model was rounded to what the file holds.
    #expect(try read.logits([1, 200, 256]) == original.logits([1, 200, 256]))
  }

  @Test func ggufTensorsAreTheModelsWithRotatedRowsInterleaved() throws {
    let original = try model()
    let report = try export(original).gguf(to: folder + "/a/b")
    #expect(report.path == folder + "/a/b/model-f32.gguf")
    let file = try GGUFFile(report.path)
    let standard = StandardTensors(original.model)
    let query = try #require(
      standard.entries.first { $0.name == "model.layers.1.self_attn.q_proj.weight" })
    let written = try file.floats(try #require(file.entry("blk.1.attn_q.weight")))
    let rows = try standard.read(query)
    // Head width 6: row 1 of a head in the file is row 3 of the model.
    #expect(Array(written[32..<64]) == Array(rows[96..<128]))
    #expect(file["arcee.attention.key_length"] == .uint32(6))
    #expect(file["arcee.rope.freq_base"] == .float32(500_000))
    #expect(sentence { _ = try export(original).gguf(to: report.path) }.contains("exists already"))
  }

  @Test func whatCannotBeExportedLeavesNothing() throws {
    let bad = try model()
    let standard = StandardTensors(bad.model)
    let entry = try #require(standard.entries.first { $0.name == "model.norm.weight" })
    try standard.write([Float](repeating: 1e6, count: 32), to: entry)
    let tooLarge = sentence { _ = try export(bad, .float16).huggingFace(to: folder + "/out") }
    #expect(tooLarge.contains("'model.norm.weight'") && tooLarge.contains("another --type"))
    try standard.write([.nan] + [Float](repeating: 1, count: 31), to: entry)
    #expect(
      sentence { _ = try export(bad).huggingFace(to: folder + "/out") }.contains("not finite"))
    #expect(sentence { _ = try export(bad).gguf(to: folder + "/x.gguf") }.contains("not finite"))
    #expect(names.isEmpty)
    try AtomicFile.write("mine", to: folder + "/taken")
    #expect(
      sentence { _ = try export(try model()).huggingFace(to: folder + "/taken") }
        .contains("exists already"))
    #expect(names == ["taken"])
  }

  /// A good folder, changed in one way.
  private func changed(
    tied: Bool = false, _ tensors: (inout [TensorToWrite]) -> Void = { _ in }
  ) throws -> String {
    let path = folder + "/\(UUID().uuidString)"
    let original = try model(tied: tied)
    _ = try export(original).huggingFace(to: path)
    let standard = StandardTensors(original.model)
    var list = standard.entries.map { entry in
      TensorToWrite(entry.name, .float32, shape: entry.shape) {
        .floats(try standard.read(entry))
      }
    }
    tensors(&list)
    try SafetensorsWriter.write(list, to: path + "/model.safetensors")
    return sentence { _ = try LoadedModel.huggingFace(path, on: backend) }
  }

  @Test func tensorsThatDoNotFitAreNamed() throws {
    func zeros(_ name: String, _ shape: [Int], _ type: TensorType = .float32) -> TensorToWrite {
      TensorToWrite(name, type, shape: shape) {
        .bytes([UInt8](repeating: 0, count: shape.reduce(type.byteCount, *)))
      }
    }
    #expect(try changed().isEmpty)
    #expect(
      try changed { $0.removeAll { $0.name == "model.layers.1.mlp.up_proj.weight" } }
        .contains("missing: model.layers.1.mlp.up_proj.weight"))
    #expect(
      try changed { $0.append(zeros("model.layers.0.mlp.gate_proj.weight", [64, 32])) }
        .contains("not part of this model: model.layers.0.mlp.gate_proj.weight"))
    #expect(
      try changed {
        $0.removeAll { $0.name == "model.norm.weight" }
        $0.append(zeros("model.norm.weight", [4, 8]))
      }.contains("model.norm.weight has the shape [4, 8] and not [32]"))
    #expect(
      try changed {
        $0.removeAll { $0.name == "model.norm.weight" }
        $0.append(zeros("model.norm.weight", [32], .int32))
      }.contains("model.norm.weight has the type I32 and not F32, BF16 or F16"))
    // Some programs write the output projection of a tied model; it must be the embedding then.
    #expect(
      try changed(tied: true) { list in
        if let table = list.first(where: { $0.name == "model.embed_tokens.weight" }) {
          list.append(
            TensorToWrite("lm_head.weight", .float32, shape: table.shape, values: table.values))
        }
      }.isEmpty)
    #expect(
      try changed(tied: true) { $0.append(zeros("lm_head.weight", [260, 32])) }
        .contains("not part of this model: lm_head.weight"))
  }

  @Test func sizesThatCannotBeTrueAreRefusedBeforeAnythingIsAllocated() throws {
    let path = folder + "/huge"
    _ = try export(try model()).huggingFace(to: path)
    let good = try String(contentsOfFile: path + "/config.json", encoding: .utf8)
    for (field, value) in [
      ("hidden_size", 32), ("num_hidden_layers", 2), ("num_attention_heads", 4), ("head_dim", 6),
    ] {
      try AtomicFile.write(
        good.replacing("\"\(field)\": \(value)", with: "\"\(field)\": 4611686018427387904"),
        to: path + "/config.json")
      #expect(
        sentence { _ = try LoadedModel.huggingFace(path, on: backend) }
          .contains("\(field) 4611686018427387904 is too large to be true"))
    }
  }

  @Test func aFolderWithoutATokenizerStillTakesIds() throws {
    let path = folder + "/plain"
    _ = try export(try model()).huggingFace(to: path)
    let config = try String(contentsOfFile: path + "/config.json", encoding: .utf8)
    try AtomicFile.write(
      config.replacing("\"tokenizer\": \"bytes\"", with: "\"a\": \"b\""), to: path + "/config.json")
    try FileManager.default.removeItem(atPath: path + "/tokenizer.json")
    let read = try LoadedModel.huggingFace(path, on: backend)
    #expect(try read.logits([1, 2]).count == 520)
    #expect(
      sentence { _ = try read.tokenizer.encode(Array("x".utf8)) }.contains("has no tokenizer.json"))
  }
}
