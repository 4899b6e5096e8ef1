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
}
