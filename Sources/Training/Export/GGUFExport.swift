import Compute
import Corpus
import Foundation
import Glibc
import Interchange
import Transformer

extension ModelExport {
  /// Writes a GGUF file of llama.cpp's architecture `arcee`.
  ///
  /// It is written under a temporary name, read back, compared, and renamed.
  /// - Parameter path: the file when it ends in `.gguf`, else a folder for `model-<type>.gguf`.
  /// - Throws: a sentence; nothing of the file remains then.
  public func gguf(to path: String) throws -> Report {
    let folder: String
    let file: String
    if path.hasSuffix(".gguf") {
      folder = AtomicFile.folder(of: path)
      file = AtomicFile.name(of: path)
    } else {
      folder = ModelExport.withoutSlash(path)
      file = "model-\(type.rawValue.lowercased()).gguf"
    }
    let final = folder + "/" + file
    guard !FileManager.default.fileExists(atPath: final) else {
      throw TrainingError("'\(final)' exists already; delete it or choose another name")
    }
    let tokenizer = try ggufTokenizer()
    try AtomicFile.makeFolder(folder)
    let temporary = folder + "/.\(file).\(getpid()).writing"
    do {
      let (change, logits) = try round(fileType)
      try GGUFWriter.write(
        ggufTensors(),
        metadata: ArceeGGUF.metadata(config, name: name, type: type) + tokenizer.metadata,
        to: temporary)
      let written = try GGUFFile(temporary)
      let tensors = try verify(final, logits: logits) { try ModelExport.values($0, in: written) }
      let bytes = try MappedBytes(temporary).bytes.count
      guard rename(temporary, final) == 0 else {
        throw InterchangeError.system("rename a new file to", final, errno)
      }
      try AtomicFile.syncFolder(folder)
      return Report(
        path: final, files: [file: bytes], tensors: tensors, probedTokens: probe.count,
        logitChange: change)
    } catch {
      unlink(temporary)
      throw error
    }
  }

  private func ggufTensors() -> [TensorToWrite] {
    let standard = StandardTensors(loaded.model)
    let headWidth = loaded.model.configuration.headWidth
    return standard.entries.map { entry in
      TensorToWrite(ModelExport.ggufName(entry), fileType(entry), shape: entry.shape) {
        let values = try standard.read(entry)
        guard ArceeGGUF.isRotated(entry.name) else { return .floats(values) }
        return .floats(
          ArceeGGUF.interleave(values, headWidth: headWidth, columns: entry.shape[1]))
      }
    }
  }

  /// llama.cpp wants norm weights in F32.
  private func fileType(_ entry: StandardTensors.Entry) -> TensorType {
    entry.isVector ? .float32 : type
  }

  private func ggufTokenizer() throws -> GGUFTokenizer {
    let vocabulary = loaded.model.configuration.vocabulary
    if loaded.tokenizer.name == "bytes" {
      guard vocabulary >= loaded.tokenizer.vocabularySize else {
        throw TrainingError(
          "the model's vocabulary is \(vocabulary), too small for its tokenizer 'bytes'")
      }
      return .bytes(alphabet: ByteTokenizer.alphabet, vocabulary: vocabulary)
    }
    guard loaded.tokenizer.vocabularySize > 0 else {
      throw TrainingError(
        "'\(loaded.summary)' has no tokenizer, and llama.cpp needs one; put its tokenizer.json "
          + "into the folder")
    }
    return try .bytePairs(
      TokenizerVocabulary(loaded.tokenizer.name), endOfText: loaded.tokenizer.endOfText,
      vocabulary: vocabulary)
  }

  private static func ggufName(_ entry: StandardTensors.Entry) -> String {
    guard let name = ArceeGGUF.name(entry.name) else {
      preconditionFailure("llama.cpp has no name for \(entry.name)")
    }
    return name
  }

  /// The values of a tensor in the standard layout, read from a file of this layout.
  static func values(_ entry: StandardTensors.Entry, in file: GGUFFile) throws -> [Float] {
    let name = ggufName(entry)
    guard let found = file.entry(name), found.shape == entry.shape else {
      throw TrainingError("'\(file.path)' has no tensor '\(name)' of shape \(entry.shape)")
    }
    let values = try file.floats(found)
    guard ArceeGGUF.isRotated(entry.name),
      let headWidth = file["arcee.attention.key_length"]?.integer
    else { return values }
    return ArceeGGUF.interleave(
      values, headWidth: headWidth, columns: entry.shape[1], restore: true)
  }
}
