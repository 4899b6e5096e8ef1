import Compute
import Foundation
import Training

/// Opens what a user names as a model: a run folder, or a Hugging Face folder.
enum ModelSource {
  static func open(_ path: String, on backend: any Backend) throws -> LoadedModel {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else {
      throw CleanError(
        "'\(path)' is not a folder; give a run, for example runs/tiny, or a Hugging Face folder")
    }
    let loaded = try LoadedModel.open(path, on: backend)
    for sentence in loaded.passedOver {
      FileHandle.standardError.write(Data("Warning: \(sentence); using \(loaded.summary).\n".utf8))
    }
    return loaded
  }
}
