import ComputeCUDA
import Testing

/// The kernels of the `hopper` folder, compiled for sm_90a: needs NVRTC (`make nvrtc`), no GPU.
@Suite struct HopperCompilationTests {
  static let compiler = try? KernelCompiler(CUDALibraries())
  static let sources = KernelSource(folder: nil)
  static let units = sources.hopperUnits

  /// Two of every file that sums energies, one of all others, and none twice.
  @Test func everyFileIsCompiled() {
    let files = Self.sources.files.keys.filter { $0.hasPrefix("hopper/") && $0.hasSuffix(".cu") }
    #expect(files.count >= 3)
    #expect(Set(Self.units.map(\.file)) == Set(files))
    #expect(Set(Self.units).count == Self.units.count)
    let twice = Self.units.filter { !$0.constants.isEmpty }.map(\.file)
    #expect(twice.contains("hopper/block_energies.cu"))
    #expect(twice.allSatisfy { Self.sources.text($0).contains("energies.cuh") })
  }

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
