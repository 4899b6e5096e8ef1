import Foundation
import Glibc
import Interchange

/// The folder of a run: its configuration, metrics, events, checkpoints and report.
public final class RunFolder {
  /// Where it is.
  public let path: String
  private var lock: Int32 = -1

  /// The configuration that the run was started with.
  public var configurationPath: String { path + "/config.toml" }
  /// One JSON object per line.
  public var metricsPath: String { path + "/metrics.jsonl" }
  /// Where checkpoints are.
  public var checkpointsPath: String { path + "/checkpoints" }
  /// Where TensorBoard looks.
  public var eventsPath: String { path + "/events" }

  /// Names a folder; nothing is read or written.
  public init(_ path: String) { self.path = path }

  deinit {
    guard lock >= 0 else { return }
    // A process that is just being started may hold a copy of the descriptor until it runs.
    flock(lock, LOCK_UN)
    close(lock)
  }

  /// Whether a run was ever started there.
  public var holdsRun: Bool { access(configurationPath, F_OK) == 0 }

  /// Makes the folders of a new run and writes its configuration.
  ///
  /// - Parameter overwriting: whether a run that is there is deleted; nothing else in the folder is.
  /// - Throws: a sentence when a run is there already, or the folder cannot be written.
  public func create(_ configuration: RunConfiguration, overwriting: Bool = false) throws {
    guard overwriting || !holdsRun else {
      throw TrainingError(
        "'\(path)' already holds a run; continue it with --resume, choose another run.name, or "
          + "delete it with --overwrite")
    }
    try makeFolder(path)
    try takeLock()
    if overwriting { try deleteRun() }
    try goOn(with: configuration)
  }

  /// Stores the configuration of a run that begins or goes on, and makes the folders that it lacks:
  /// people delete events to begin their curves anew.
  func goOn(with configuration: RunConfiguration) throws {
    for folder in [checkpointsPath, eventsPath] { try makeFolder(folder) }
    // Last, for it is what makes the folder a run.
    try write(configuration)
  }

  /// Stores the resolved configuration.
  public func write(_ configuration: RunConfiguration) throws {
    try AtomicFile.write(configuration.toml, to: configurationPath)
  }

  private func makeFolder(_ folder: String) throws {
    do {
      try AtomicFile.makeFolder(folder)
    } catch {
      throw TrainingError("\(error); choose another run.folder")
    }
  }

  /// Removes files that a killed trainer was about to rename; call it with the lock held.
  func removeLeftovers() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where name.hasPrefix(".") && name.hasSuffix(".tmp") {
      try? FileManager.default.removeItem(atPath: path + "/" + name)
    }
  }

  /// Deletes what belongs to a run, its configuration first: the rest alone is no run.
  private func deleteRun() throws {
    for item in [
      configurationPath, checkpointsPath, eventsPath, metricsPath, tokenizerPath,
    ]
    where access(item, F_OK) == 0 {
      do {
        try FileManager.default.removeItem(atPath: item)
      } catch {
        throw TrainingError("cannot delete '\(item)': \(RunFolder.reason(error))")
      }
    }
  }

  /// Reads the configuration of the run that is there.
  public func configuration() throws -> RunConfiguration {
    guard holdsRun else {
      throw TrainingError(
        "'\(path)' holds no run (it has no config.toml); give the folder of a run, for example "
          + "runs/tiny")
    }
    return try RunConfiguration.read(resolved: configurationPath)
  }

  /// Keeps a second trainer out of the folder until this object goes away.
  public func takeLock() throws {
    guard lock < 0 else { return }
    let file = path + "/.lock"
    lock = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard lock >= 0 else { throw InterchangeError.system("write", file, errno) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      lock = -1
      throw TrainingError("another krait is training in '\(path)'; wait for it or stop it")
    }
  }

  private static func reason(_ error: any Error) -> String {
    let system = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    if let system, system.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(system.code)))
    }
    return error.localizedDescription
  }
}

/// A run cannot start or go on: one sentence with the way out.
public struct TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The sentence.
  public let description: String

  /// An error with a sentence.
  public init(_ description: String) { self.description = description }
}
