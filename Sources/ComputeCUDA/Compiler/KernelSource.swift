import Compute
import Foundation
import KernelSources

/// The kernels' sources: those embedded in the binary, or an edited copy of them.
package struct KernelSource: Sendable {
  /// A folder of edited `.cu` and `.cuh` files; files it lacks are the embedded ones.
  package static let environmentVariable = "KRAIT_KERNELS"

  /// File name → text, of all files.
  package let files: [String: String]

  /// Reads everything.
  package init(folder: String? = ProcessInfo.processInfo.environment[environmentVariable]) {
    var files: [String: String] = [:]
    for index in 0..<krait_kernel_source_count() {
      let source = krait_kernel_source_at(index)
      let name = String(cString: source.name)
      files[name] = String(cString: source.text)
      if let folder, let edited = try? String(contentsOfFile: folder + "/" + name, encoding: .utf8)
      {
        files[name] = edited
      }
    }
    self.files = files
  }

  /// What kernels may include.
  package var headers: [String] { files.keys.filter { $0.hasSuffix(".cuh") }.sorted() }

  /// The files of the plain operations: each is compiled for every element type.
  package var operationFiles: [String] {
    files.keys.filter { $0.hasSuffix(".cu") && !$0.contains("/") }.sorted()
  }

  /// The compilations of the `hopper` folder: every file, and those that sum energies a second time, of
  /// squares.
  package var hopperUnits: [KernelUnit] {
    files.keys.filter { $0.hasPrefix("hopper/") && $0.hasSuffix(".cu") }.sorted().flatMap { file in
      let sumsEnergies = text(file).contains("#include \"hopper/energies.cuh\"")
      return (sumsEnergies ? [[], [KernelUnit.squares]] : [[]]).map {
        KernelUnit(file, isBFloat16: true, constants: $0)
      }
    }
  }

  /// Whether a file's kernels call `begin_kernel`, themselves or in what they include. Embedded ones do, says a test;
  /// edited copies may be older than the rule.
  package func mayStartEarly(_ file: String) -> Bool {
    let text = text(file)
    return text.contains("begin_kernel();")
      || text.split(separator: "\n").contains { line in
        let parts = line.split(separator: "\"")
        guard line.hasPrefix("#include"), parts.count > 1 else { return false }
        let header = String(parts[1])
        return files[header] != nil && mayStartEarly(header)
      }
  }

  /// The text of a file.
  package func text(_ name: String) -> String {
    guard let text = files[name] else { preconditionFailure("there is no kernel file '\(name)'") }
    return text
  }
}

/// One compilation: a file with constants.
package struct KernelUnit: Sendable, Hashable {
  /// For example `RMSNorm.cu`.
  package let file: String
  /// What `element` is in the file.
  package let isBFloat16: Bool
  /// Constants beyond that, for example `KRAIT_HEAD_WIDTH=64`.
  package let constants: [String]

  /// The constant with which `hopper/energies.cuh` adds squares of activations.
  static let squares = "KRAIT_SQUARES=1"

  /// See the properties.
  package init(_ file: String, isBFloat16: Bool, constants: [String] = []) {
    self.file = file
    self.isBFloat16 = isBFloat16
    self.constants = constants
  }

  var defines: [String] {
    ["-DKRAIT_BFLOAT16=\(isBFloat16 ? 1 : 0)"] + constants.map { "-D" + $0 }
  }
}
