import Foundation
import Glibc

/// A folder that appears under its name only when it is complete.
///
/// Everything is written into a hidden folder beside it, which is renamed at the end, and deleted
/// when something goes wrong. What a killed process left behind is deleted by the next.
final class StagedFolder {
  /// Where to write meanwhile.
  let path: String
  private let final: String
  private let replaces: Bool
  private var lock: Int32 = -1
  /// Whether there is nothing to delete; so until the folder is ours.
  private var isDone = true

  /// Makes the hidden folder.
  ///
  /// - Parameter replaces: whether a folder that is there already may be replaced.
  /// - Throws: `CorpusError` when the name is taken, or is being written by another process.
  init(_ folder: String, replaces: Bool) throws {
    let url = URL(fileURLWithPath: folder)
    final = url.path
    self.replaces = replaces
    let parent = url.deletingLastPathComponent().path
    path = "\(parent)/.\(url.lastPathComponent).partial"
    try checkName(shown: folder)
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw CorpusError.system("make the folder", path, errno)
    }
    lock = open(path, O_RDONLY | O_CLOEXEC)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw CorpusError("another krait is preparing '\(folder)'; wait for it or stop it")
    }
    isDone = false
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      try? FileManager.default.removeItem(atPath: path + "/" + name)
    }
  }

  deinit { abandon() }

  private func checkName(shown: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: final, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else {
      throw CorpusError("'\(shown)' is a file; choose another --output")
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: final)) ?? []
    guard names.isEmpty || replaces else {
      throw CorpusError(
        "'\(shown)' already holds \(names.count) files; choose another --output, or replace it "
          + "with --overwrite")
    }
    guard names.isEmpty || names.contains(PreparedFolder.manifestName) else {
      throw CorpusError(
        "'\(shown)' was not made by krait prepare (it has no \(PreparedFolder.manifestName)), so "
          + "it is not replaced; choose another --output, or delete it")
    }
  }

  /// Gives the folder its name.
  func commit() throws {
    fsync(lock)
    var old: String?
    if FileManager.default.fileExists(atPath: final) {
      let aside = path + ".old"
      guard rename(final, aside) == 0 else {
        throw CorpusError.system("move away", final, errno)
      }
      old = aside
    }
    guard rename(path, final) == 0 else {
      let code = errno
      if let old { rename(old, final) }
      throw CorpusError.system("rename the finished folder to", final, code)
    }
    if let old { try? FileManager.default.removeItem(atPath: old) }
    isDone = true
    close(lock)
  }

  /// Deletes what was written.
  func abandon() {
    guard !isDone else { return }
    isDone = true
    try? FileManager.default.removeItem(atPath: path)
    if lock >= 0 { close(lock) }
  }

  /// Writes a small file into the folder, flushed to disk.
  func write(_ bytes: [UInt8], _ name: String) throws {
    let file = path + "/" + name
    let descriptor = open(file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw CorpusError.system("create", file, errno) }
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { all in
        all.baseAddress.map { Glibc.write(descriptor, $0 + written, all.count - written) } ?? -1
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw CorpusError.system("write", file, errno) }
      written += count
    }
    guard fsync(descriptor) == 0 else { throw CorpusError.system("flush", file, errno) }
  }
}
