import Foundation
import Glibc
import Interchange

/// The checkpoints of a run: each a folder that exists either whole or not at all.
///
/// A checkpoint is written under a temporary name: tensors, state and configuration, each flushed,
/// then the manifest with their SHA-256, then the folder is renamed. Older ones are removed only
/// after the new one was read back and found equal to its manifest.
public final class CheckpointStore: Sendable {
  /// Where checkpoints are.
  public let path: String
  private let keepLast: Int
  private let keepEvery: Int

  static let parametersName = "parameters.safetensors"
  static let optimizerName = "optimizer.safetensors"
  static let stateName = "state.json"
  static let configurationName = "config.toml"
  static let fileNames = [parametersName, optimizerName, stateName, configurationName]
  private static let prefix = "step-"
  private static let temporaryPrefix = ".writing-"
  private static let removedPrefix = ".removing-"

  /// A store that keeps the newest `keepLast` and every one whose step divides by `keepEvery`.
  public init(_ path: String, keepLast: Int = 3, keepEvery: Int = 0) {
    self.path = path
    self.keepLast = max(1, keepLast)
    self.keepEvery = keepEvery
  }

  // MARK: Writing

  /// Writes a checkpoint, verifies it and removes those that are no longer kept.
  ///
  /// - Throws: a sentence; the checkpoints that were there are untouched then.
  public func write(_ snapshot: CheckpointSnapshot) throws {
    let name = CheckpointStore.folderName(step: snapshot.state.step)
    let final = path + "/" + name
    let temporary = path + "/" + CheckpointStore.temporaryPrefix + name
    removeTree(temporary)
    do {
      guard mkdir(temporary, 0o755) == 0 else {
        throw InterchangeError.system("make the folder", temporary, errno)
      }
      try writeFiles(snapshot, into: temporary)
      try AtomicFile.syncFolder(temporary)
      // A checkpoint of the same step can only be one that a resume fell back behind.
      if access(final, F_OK) == 0 { try retire(name) }
      guard rename(temporary, final) == 0 else {
        throw InterchangeError.system("rename a new checkpoint to", final, errno)
      }
      try AtomicFile.syncFolder(path)
    } catch {
      removeTree(temporary)
      throw error
    }
    _ = try CheckpointManifest.verify(folder: final)
    try prune(newest: snapshot.state.step)
  }

  private func writeFiles(_ snapshot: CheckpointSnapshot, into folder: String) throws {
    for (name, tensors) in [
      (CheckpointStore.parametersName, snapshot.parameters),
      (CheckpointStore.optimizerName, snapshot.optimizer),
    ] {
      try SafetensorsWriter.write(
        tensors.map { tensor in
          TensorToWrite(tensor.name, .float32, shape: tensor.shape) { .floats(tensor.values) }
        }, to: folder + "/" + name)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let state = try encoder.encode(snapshot.state)
    try AtomicFile.write(Array(state), to: folder + "/" + CheckpointStore.stateName)
    try AtomicFile.write(
      snapshot.configuration, to: folder + "/" + CheckpointStore.configurationName)
    let manifest = try CheckpointManifest.make(
      folder: folder, step: snapshot.state.step, names: CheckpointStore.fileNames)
    try AtomicFile.write(
      Array(try encoder.encode(manifest)), to: folder + "/" + CheckpointManifest.name)
  }

  /// Removes old checkpoints. `newest` was verified a moment ago and always stays.
  private func prune(newest: Int) throws {
    let all = steps()
    let kept = Set(all.filter { $0 <= newest }.suffix(keepLast))
    for step in all where step < newest && !kept.contains(step) {
      if keepEvery > 0 && step % keepEvery == 0 { continue }
      try retire(CheckpointStore.folderName(step: step))
    }
  }

  /// Renames a checkpoint out of sight first, so that a kill in the middle of removing leaves no
  /// half checkpoint under a good name.
  private func retire(_ name: String) throws {
    let removed = path + "/" + CheckpointStore.removedPrefix + name
    removeTree(removed)
    guard rename(path + "/" + name, removed) == 0 else {
      throw InterchangeError.system("remove the old checkpoint", path + "/" + name, errno)
    }
    removeTree(removed)
  }

  /// Removes what a killed trainer left half-written; called at the start of a run.
  public func cleanUp() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names
    where name.hasPrefix(CheckpointStore.temporaryPrefix)
      || name.hasPrefix(CheckpointStore.removedPrefix)
    {
      removeTree(path + "/" + name)
    }
  }

  private func removeTree(_ path: String) {
    if access(path, F_OK) == 0 { try? FileManager.default.removeItem(atPath: path) }
  }

  // MARK: Reading

  /// Steps of all checkpoints, rising; whether they are valid is another question.
  public func steps() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.compactMap { name in
      name.hasPrefix(CheckpointStore.prefix)
        ? Int(name.dropFirst(CheckpointStore.prefix.count)) : nil
    }.sorted()
  }

  /// The folder of a step's checkpoint, whether it is there or not.
  public func path(step: Int) -> String { path + "/" + CheckpointStore.folderName(step: step) }

  /// The newest checkpoint that is whole, and a sentence for each newer one that is not.
  public func latestValid() -> (checkpoint: StoredCheckpoint?, rejected: [String]) {
    var rejected: [String] = []
    for step in steps().reversed() {
      do {
        return (try StoredCheckpoint(path + "/" + CheckpointStore.folderName(step: step)), rejected)
      } catch {
        rejected.append("the checkpoint of step \(step) is not used: \(error)")
      }
    }
    return (nil, rejected)
  }

  static func folderName(step: Int) -> String {
    let digits = String(step)
    return prefix + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }
}
