import Compute
import Corpus
import Foundation
public import Interchange
public import Transformer

/// A folder in Hugging Face's layout, opened and compared with its own `config.json`.
public struct HuggingFaceFolder {
  /// The folder.
  public let path: String
  /// Its `config.json`.
  public let config: ArceeConfig
  /// The same in Krait's words.
  public let model: ModelConfiguration
  /// Its tensors: all that the model needs, in the right shapes, and no others.
  public let tensors: TensorFolder
  /// `lm_head.weight` of a tied model, which some programs write although it is the embedding.
  private static let tiedName = "lm_head.weight"
  private static let embeddingName = "model.embed_tokens.weight"

  /// Opens a folder; nothing of the model is allocated.
  ///
  /// - Throws: a sentence that names the field or the tensors that do not fit.
  public init(_ path: String) throws {
    self.path = path
    config = try ArceeConfig.read(folder: path)
    model = try ModelConfiguration(config, path: path + "/" + ArceeConfig.fileName)
    tensors = try TensorFolder(path)
    try checkTensors()
  }

  /// Whether a folder looks like one.
  public static func isAt(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/" + ArceeConfig.fileName)
  }

  /// The values of a tensor.
  func values(_ entry: StandardTensors.Entry) throws -> [Float] {
    try tensors.floats(entry.name, count: entry.count)
  }

  /// Puts the tensors into a model of this shape.
  func load(into model: TransformerModel) throws {
    let standard = StandardTensors(model)
    for entry in standard.entries { try standard.write(values(entry), to: entry) }
  }

  /// The tokenizer of the folder; one that explains itself when there is none that can be read.
  func tokenizer() -> any Tokenizer {
    let file = path + "/" + TokenizerFiles.fileName
    if config.notes["tokenizer"] == "bytes" { return ByteTokenizer() }
    guard FileManager.default.fileExists(atPath: file) else {
      return MissingTokenizer(reason: "'\(path)' has no \(TokenizerFiles.fileName)")
    }
    do {
      return try RunData.tokenizer(file)
    } catch {
      return MissingTokenizer(reason: "\(error)")
    }
  }

  private func checkTensors() throws {
    let expected = StandardTensors.entries(of: ParameterTable(model))
    let names = Set(expected.map(\.name))
    let missing = expected.map(\.name).filter { tensors.entry($0) == nil }
    let extra = tensors.entries.map(\.name).filter {
      !names.contains($0) && !$0.hasSuffix(".rotary_emb.inv_freq") && !isEmbedding($0)
    }
    let misshaped = expected.compactMap { entry -> String? in
      guard let found = tensors.entry(entry.name), found.shape != entry.shape else { return nil }
      return "\(entry.name) has the shape \(found.shape) and not \(entry.shape)"
    }
    let mistyped = expected.compactMap { entry -> String? in
      guard let found = tensors.entry(entry.name),
        ![.float32, .bfloat16, .float16].contains(found.type)
      else { return nil }
      return "\(entry.name) has the type \(found.type.rawValue) and not F32, BF16 or F16"
    }
    var problems: [String] = []
    func add(_ what: String, _ list: [String]) {
      guard !list.isEmpty else { return }
      let rest = list.count > 3 ? " and \(list.count - 3) more" : ""
      problems.append(what + list.prefix(3).joined(separator: ", ") + rest)
    }
    add("missing: ", missing)
    add("not part of this model: ", extra)
    add("", misshaped)
    add("", mistyped)
    guard problems.isEmpty else {
      throw TrainingError(
        "the tensors in '\(path)' are not those that its \(ArceeConfig.fileName) announces: "
          + problems.joined(separator: "; "))
    }
  }

  /// Whether a tensor is the output projection of a tied model, written all the same.
  private func isEmbedding(_ name: String) -> Bool {
    guard model.tiedEmbeddings, name == HuggingFaceFolder.tiedName,
      let output = try? tensors.floats(name),
      let embedding = try? tensors.floats(HuggingFaceFolder.embeddingName)
    else { return false }
    return output == embedding
  }
}

/// Stands where a model came without a tokenizer: token ids still work, text does not.
struct MissingTokenizer: Tokenizer {
  let reason: String

  var vocabularySize: Int { 0 }
  var endOfText: Int? { nil }
  var name: String { "none" }

  func encoder() throws -> any TokenEncoder {
    throw TrainingError("\(reason); text cannot be turned into this model's tokens")
  }

  func decode(_ ids: [UInt32]) -> [UInt8] { [] }
}
