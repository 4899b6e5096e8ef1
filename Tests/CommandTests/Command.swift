import Foundation

/// Runs the built `krait` in a process of its own, as a user would.
enum Command {
  struct Result {
    let status: Int32
    /// Standard output.
    let output: String
    /// Standard error.
    let errors: String
  }

  /// The executable beside the test bundle.
  static var executable: URL {
    Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("krait")
      ?? URL(fileURLWithPath: "krait")
  }

  /// Runs to the end; output goes through files, so that no pipe can fill up.
  static func run(
    _ arguments: [String], in folder: String? = nil, environment: [String: String] = [:]
  ) throws -> Result {
    let temporary = FileManager.default.temporaryDirectory
      .appendingPathComponent("krait-command-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: temporary) }
    func sink(_ name: String) throws -> (URL, FileHandle) {
      let url = temporary.appendingPathComponent(name)
      _ = FileManager.default.createFile(atPath: url.path, contents: nil)
      return (url, try FileHandle(forWritingTo: url))
    }
    let (outputFile, output) = try sink("output")
    let (errorFile, errors) = try sink("errors")
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus,
      // A young model writes bytes that are no text.
      output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
  }

  /// `--set` for a run of a second.
  static let smallRun: [String] = [
    "model.width=32", "model.hiddenWidth=64", "model.layers=1", "model.heads=2",
    "model.keyValueHeads=1", "model.headWidth=16", "feedForward.blockTokens=16",
    "feedForward.samples=4", "feedForward.keptMultiple=8", "feedForward.clusters=4",
    "data.sequence=32", "data.batch=2", "data.microBatch=1", "schedule.warmup=2",
    "schedule.denseWarmup=2", "run.checkpointInterval=3", "run.evaluateSequences=2",
    "run.sampleTokens=8", "run.logInterval=1", "device.threads=1", "device.blas=own",
  ].flatMap { ["--set", $0] }

  /// A folder that is removed after the body.
  static func inFolder(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.path + "/krait-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }
}
