import Foundation

/// A folder of libraries that claim to be NVIDIA's, made with this machine's C compiler: see
/// FakeGPU/fake_gpu.c.
struct FakeGPU {
  /// Where everything is; the libraries in `libraries`, the kernel cache in `cache`.
  let folder: String

  /// The C compiler; nil when there is none, and then nothing of this can be tested.
  static let compiler: String? = ["cc", "clang", "gcc"].lazy.flatMap { name in
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map {
      "\($0)/\(name)"
    }
  }.first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Compiles into a new folder; `delete` removes it.
  init() throws {
    folder = FileManager.default.temporaryDirectory.path + "/krait-gpu-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder + "/libraries", withIntermediateDirectories: true)
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let sources = ["defaults.c", "fake_gpu.c"].map { here.path + "/FakeGPU/" + $0 }
    let headers = here.path + "/../../Sources/CUDAInterface/include"
    try FakeGPU.compile(
      sources + ["-I" + headers, "-D_Nonnull=", "-D_Nullable="], to: path("libcuda.so.1"))
    try link("libcuda.so.1", to: ["libnvrtc.so.13"])
    try emptyLibrary("libcudnn.so.9")
    try link("libcudnn.so.9", to: ["libcublasLt.so.13", "libcublasLt.so.12"])
  }

  /// A library that opens and has no symbol, in place of one of the folder's.
  func emptyLibrary(_ name: String) throws {
    let source = folder + "/empty.c"
    try Data("int krait_empty;\n".utf8).write(to: URL(fileURLWithPath: source))
    try? FileManager.default.removeItem(atPath: path(name))
    try FakeGPU.compile([source], to: path(name))
  }

  /// Libraries of products and attention that have every symbol, and refuse to be opened.
  func completeLibraries() throws {
    for name in ["libcublasLt.so.13", "libcudnn.so.9"] {
      try FileManager.default.removeItem(atPath: path(name))
      try link("libcuda.so.1", to: [name])
    }
  }

  /// The environment in which `krait` finds these libraries and no others.
  func environment(_ more: [String: String] = [:]) -> [String: String] {
    [
      "KRAIT_CUDA_LIBRARIES": folder + "/libraries", "KRAIT_KERNEL_CACHE": folder + "/cache",
    ].merging(more) { $1 }
  }

  /// A library's file.
  func path(_ name: String) -> String { folder + "/libraries/" + name }

  /// Deletes everything.
  func delete() { try? FileManager.default.removeItem(atPath: folder) }

  private func link(_ name: String, to others: [String]) throws {
    for other in others {
      try FileManager.default.createSymbolicLink(
        atPath: path(other), withDestinationPath: name)
    }
  }

  private static func compile(_ arguments: [String], to output: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: compiler ?? "/usr/bin/cc")
    process.arguments = ["-shared", "-fPIC", "-w", "-o", output] + arguments
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileNoSuchFile) }
  }
}
