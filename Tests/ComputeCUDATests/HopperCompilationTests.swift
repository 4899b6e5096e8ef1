import ComputeCUDA
import Testing

/// The kernels of the `hopper` folder, compiled for sm_90a: needs NVRTC (`make nvrtc`), no GPU.
@Suite struct HopperCompilationTests {
  static let compiler = try? KernelCompiler(CUDALibraries())
  static let sources = KernelSource(folder: nil)
  static let files = sources.files.keys
    .filter { $0.hasPrefix("hopper/") && $0.hasSuffix(".cu") }.sorted()

  /// Every file, and those that sum energies a second time, of squares.
  static let units =
    files.map { KernelUnit($0, isBFloat16: true) }
    + files.filter { sources.files[$0]?.contains("energies.cuh") ?? false }.map {
      KernelUnit($0, isBFloat16: true, constants: ["KRAIT_SQUARES=1"])
    }

  @Test func thereAreSome() { #expect(Self.files.count >= 3) }

  @Test(
    .enabled(
      if: compiler != nil,
      "no NVRTC on this machine: 'make nvrtc' installs it, then every kernel is compiled"),
    arguments: units)
  func compilesWithoutSpillsOrSerialisedProducts(unit: KernelUnit) throws {
    let compiler = try #require(Self.compiler)
    let code = try compiler.compile(
      unit, of: Self.sources, target: "sm_90a")
    let lines = code.log.split(separator: "\n")
    // C75xx: wgmma serialised, or register redistribution ignored; correct, and several times slower.
    #expect(!lines.contains { $0.contains("C75") || $0.contains("warning") }, "\(code.log)")
    let spills = lines.filter { $0.contains("bytes spill stores") }
    #expect(!spills.isEmpty)
    for line in spills {
      #expect(line.contains("0 bytes stack frame, 0 bytes spill stores"), "\(unit): \(line)")
    }
  }
}
