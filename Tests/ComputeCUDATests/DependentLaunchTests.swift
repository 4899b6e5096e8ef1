import ComputeCUDA
import Foundation
import Testing

/// Every kernel is launched so that it may start before the one in front has ended: in its PTX, nothing before
/// `griddepcontrol.wait` touches global memory, and no path goes around it. Needs NVRTC (`make nvrtc`), no GPU.
@Suite struct DependentLaunchTests {
  static let compiler = try? KernelCompiler(CUDALibraries())
  static let sources = KernelSource(folder: nil)
  static let units: [KernelUnit] =
    KernelCompilationTests.units
    + HopperCompilationTests.units

  @Test(
    .enabled(
      if: compiler != nil,
      "no NVRTC on this machine: 'make nvrtc' installs it, then every kernel is compiled"),
    arguments: units)
  func everyKernelWaitsFirst(unit: KernelUnit) throws {
    let compiler = try #require(Self.compiler)
    #expect(Self.sources.mayStartEarly(unit.file))
    let code = try compiler.compile(unit, of: Self.sources, target: "compute_90a")
    let text = String(decoding: code.bytes, as: UTF8.self)
    let kernels = EarlyKernel.all(in: text)
    #expect(!kernels.isEmpty)
    for kernel in kernels {
      #expect(kernel.flaw == nil, "\(kernel.name) of \(unit.file): \(kernel.flaw ?? "")")
    }
  }

  @Test func flawsAreFound() {
    func flaw(_ body: String) -> String? {
      EarlyKernel.all(in: ".visible .entry a(\n.param .u64 p\n)\n{\n\(body)\n}\n").first?.flaw
    }
    #expect(flaw("ld.param.u64 %rd1, [p];\n// begin inline asm\ngriddepcontrol.wait;\nret;") == nil)
    #expect(flaw("@%p1 bra $L;\nst.shared.u32 [%r1], 0;\n$L:\ngriddepcontrol.wait;\nret;") == nil)
    #expect(flaw("mov.u32 %r1, 0;") == "it never waits")
    #expect(flaw("ld.global.u32 %r1, [%rd1];\ngriddepcontrol.wait;\nret;") != nil)
    #expect(flaw("@%p1 ld.u32 %r1, [%rd1];\ngriddepcontrol.wait;\nret;") != nil)
    #expect(flaw("@%p1 ret;\ngriddepcontrol.wait;\nret;") != nil)
    #expect(flaw("@%p1 bra $L;\ngriddepcontrol.wait;\n$L:\nret;") != nil)
  }
}

/// A kernel's PTX, and what it does before it waits for the kernel in front.
private struct EarlyKernel {
  let name: String
  let lines: [String]

  /// All kernels of a module. The compiler gives every kernel's body as lines between `{` and `}`.
  static func all(in text: String) -> [EarlyKernel] {
    var kernels: [EarlyKernel] = []
    var name: String?
    var lines: [String]?
    for line in text.split(separator: "\n") {
      if let range = line.range(of: ".entry ") {
        name = String(line[range.upperBound...].prefix { $0 != "(" })
      } else if line == "{", name != nil, lines == nil {
        lines = []
      } else if line == "}", let kernel = name, let body = lines {
        kernels.append(EarlyKernel(name: kernel, lines: body))
        (name, lines) = (nil, nil)
      } else {
        lines?.append(line.trimmingCharacters(in: .whitespaces))
      }
    }
    return kernels
  }

  /// Instructions that may come before the wait although their names begin like those of global memory.
  private static let harmless = [
    "ld.param", "ld.shared", "ld.const", "st.shared", "prefetch.tensormap",
  ]
  private static let forbidden = [
    "ld", "st", "ldu", "atom", "red", "cp", "prefetch", "multimem", "call", "tex", "suld", "sust",
    "ret", "exit",
  ]

  var flaw: String? {
    var labels: Set<String> = []
    var targets: [String] = []
    for line in lines {
      var words = line.split { " \t,;".contains($0) }
      if words.first?.hasPrefix("@") == true { words.removeFirst() }
      guard let instruction = words.first.map(String.init) else { continue }
      if instruction == "griddepcontrol.wait" {
        return targets.first { !labels.contains($0) }.map {
          "a branch to \($0) goes around the wait"
        }
      }
      if instruction.hasSuffix(":") { labels.insert(String(instruction.dropLast())) }
      if instruction.hasPrefix("bra"), let target = words.last { targets.append(String(target)) }
      let kind = String(instruction.prefix { $0 != "." })
      if Self.forbidden.contains(kind), !Self.harmless.contains(where: instruction.hasPrefix) {
        return "before it waits: \(line)"
      }
    }
    return "it never waits"
  }
}
