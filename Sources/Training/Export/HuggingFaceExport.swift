import Compute
import Corpus
import Foundation
import Glibc
public import Interchange
import Transformer

extension ModelExport {
  /// Writes a folder that Transformers loads: `config.json`, `generation_config.json`, tokenizer
  /// files and safetensors.
  ///
  /// Everything is written into a temporary folder beside it, read back, compared, and renamed.
  /// - Parameter shardBytes: largest size of a file of tensors; a tensor is never cut.
  /// - Throws: a sentence; nothing of the folder remains then.
  public func huggingFace(
    to path: String, shardBytes: Int = TensorFolderWriter.customaryShardBytes
  ) throws -> Report {
    let model = loaded.model.configuration
    guard model.width % model.heads == 0 else {
      throw TrainingError(
        "Transformers loads no model whose heads do not divide its width: here \(model.heads) and "
          + "\(model.width); export with --format gguf")
    }
    let path = ModelExport.withoutSlash(path)
    try ModelExport.requireFree(path)
    let parent = AtomicFile.folder(of: path)
    let temporary = "\(parent)/.\(AtomicFile.name(of: path)).\(getpid()).writing"
    try AtomicFile.makeFolder(parent)
    try AtomicFile.makeFolder(temporary)
    do {
      let (change, logits) = try round { _ in type }
      try writeFolder(temporary, shardBytes: shardBytes)
      let folder = try HuggingFaceFolder(temporary)
      guard folder.config == config else {
        throw TrainingError("'\(path)/config.json' was read back and is not what was written")
      }
      let tensors = try verify(path, logits: logits) { try folder.values($0) }
      let files = try ModelExport.sizes(temporary)
      try AtomicFile.syncFolder(temporary)
      guard rename(temporary, path) == 0 else {
        throw InterchangeError.system("rename a new folder to", path, errno)
      }
      try AtomicFile.syncFolder(parent)
      return Report(
        path: path, files: files, tensors: tensors, probedTokens: probe.count,
        logitChange: change)
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      throw error
    }
  }

  private func writeFolder(_ folder: String, shardBytes: Int) throws {
    let config = config
    try AtomicFile.write(config.text, to: folder + "/" + ArceeConfig.fileName)
    try AtomicFile.write(config.generationText, to: folder + "/generation_config.json")
    try tokenizerFiles()?.write(folder: folder)
    let standard = StandardTensors(loaded.model)
    _ = try TensorFolderWriter.write(
      standard.entries.map { entry in
        TensorToWrite(entry.name, type, shape: entry.shape) { .floats(try standard.read(entry)) }
      }, folder: folder, shardBytes: shardBytes)
  }

  private func tokenizerFiles() throws -> TokenizerFiles? {
    if loaded.tokenizer.name == "bytes" {
      return .bytes(alphabet: ByteTokenizer.alphabet, positions: loaded.sequenceLength)
    }
    guard loaded.tokenizer.vocabularySize > 0 else { return nil }
    return try .copy(
      of: TokenizerVocabulary(loaded.tokenizer.name), endOfText: loaded.tokenizer.endOfText,
      positions: loaded.sequenceLength)
  }

  // MARK: Folders

  /// Refuses a name that is taken, except by an empty folder.
  static func requireFree(_ path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
    let names = try? FileManager.default.contentsOfDirectory(atPath: path)
    guard isFolder.boolValue, names?.isEmpty == true else {
      throw TrainingError("'\(path)' exists already; delete it or choose another name")
    }
  }

  /// A folder's path as it is shown, and as names are added to it.
  static func withoutSlash(_ path: String) -> String {
    path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path
  }

  private static func sizes(_ folder: String) throws -> [String: Int] {
    var result: [String: Int] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      result[name] = try MappedBytes(folder + "/" + name).bytes.count
    }
    return result
  }
}
