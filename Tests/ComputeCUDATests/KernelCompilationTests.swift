import ComputeCUDA
import Foundation
import Testing

/// Every kernel, compiled for the oldest and the newest supported architecture: needs NVRTC
/// (`make nvrtc`), no GPU.
@Suite struct KernelCompilationTests {
  static let compiler = try? KernelCompiler(CUDALibraries())
  static let sources = KernelSource(folder: nil)

  /// Spills that the compiler needs to bridge a full register file once, not in a loop.
  static let toleratedSpillBytes = 16

  static let units: [KernelUnit] = sources.operationFiles.flatMap { file in
    let constants =
      file == "Attention.cu"
      ? [["KRAIT_HEAD_WIDTH=64"], ["KRAIT_HEAD_WIDTH=128"], ["KRAIT_HEAD_WIDTH=36"]] : [[]]
    return constants.flatMap { list in
      [false, true].map { KernelUnit(file, isBFloat16: $0, constants: list) }
    }
  }

  @Test(
    .enabled(
      if: compiler != nil,
      "no NVRTC on this machine: 'make nvrtc' installs it, then every kernel is compiled"),
    arguments: ["sm_80", "sm_90a"], units)
  func compilesWithoutSpills(target: String, unit: KernelUnit) throws {
    let compiler = try #require(Self.compiler)
    let code = try compiler.compile(unit, of: Self.sources, target: target)
    #expect(code.bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]), "a cubin is an ELF file")
    #expect(!code.log.contains("warning"), "\(code.log)")
    for line in code.log.split(separator: "\n") {
      guard let range = line.range(of: " bytes spill stores") else { continue }
      let number = line[..<range.lowerBound].split(separator: " ").last.flatMap { Int($0) }
      let bytes = try #require(number, "\(line)")
      #expect(bytes <= Self.toleratedSpillBytes, "\(unit) for \(target): \(line)")
    }
  }

  @Test func theFolderListsEveryKernelFile() throws {
    // The table in kernel_sources.c is written by hand; a forgotten file would never be compiled.
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/KernelSources/kernels")
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".cu") || $0.hasSuffix(".cuh") }
    #expect(Set(names) == Set(Self.sources.files.keys))
  }
}
