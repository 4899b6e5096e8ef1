import Crypto
import Foundation
import Interchange

/// The list of a checkpoint's files with their sizes and SHA-256: written last, checked first.
struct CheckpointManifest: Codable, Equatable {
  struct File: Codable, Equatable {
    let name: String
    let bytes: Int
    let sha256: String
  }

  static let name = "manifest.json"
  static let version = 1

  let format: Int
  let step: Int
  let files: [File]

  /// Hashes the files of a folder.
  static func make(folder: String, step: Int, names: [String]) throws -> CheckpointManifest {
    CheckpointManifest(
      format: version, step: step,
      files: try names.map { name in
        let (bytes, hash) = try digest(folder + "/" + name)
        return File(name: name, bytes: bytes, sha256: hash)
      })
  }

  /// Reads a manifest and hashes every file it names.
  ///
  /// - Throws: `TrainingError` that names the file and what is wrong with it.
  static func verify(folder: String) throws -> CheckpointManifest {
    let path = folder + "/" + name
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TrainingError("'\(path)' is missing")
    }
    let manifest: CheckpointManifest
    do {
      manifest = try JSONDecoder().decode(CheckpointManifest.self, from: data)
    } catch {
      throw TrainingError("'\(path)' is damaged: it is not a manifest")
    }
    guard manifest.format == version else {
      throw TrainingError(
        "'\(path)' has the format \(manifest.format); this version of krait reads \(version)")
    }
    guard Set(manifest.files.map(\.name)) == Set(CheckpointStore.fileNames) else {
      throw TrainingError("'\(path)' is damaged: it does not name the files of a checkpoint")
    }
    for file in manifest.files {
      let path = folder + "/" + file.name
      let (bytes, hash) = try digest(path)
      guard bytes == file.bytes else {
        throw TrainingError("'\(path)' has \(bytes) bytes, not the \(file.bytes) it was saved with")
      }
      guard hash == file.sha256 else {
        throw TrainingError("'\(path)' does not have the SHA-256 it was saved with")
      }
    }
    return manifest
  }

  private static func digest(_ path: String) throws -> (bytes: Int, hash: String) {
    let file: MappedBytes
    do {
      file = try MappedBytes(path)
    } catch {
      throw TrainingError("'\(path)' is missing or cannot be read")
    }
    var hash = SHA256()
    hash.update(bufferPointer: file.bytes)
    let digits = Array("0123456789abcdef")
    let text = hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return (file.bytes.count, String(text))
  }
}
