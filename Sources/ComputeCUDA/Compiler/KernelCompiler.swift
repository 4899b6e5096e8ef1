package import Compute
import CUDAInterface

/// Compiles kernels with NVRTC; no toolkit, no headers but our own.
///
/// NVRTC may be called from several threads at once: each unit is a program of its own, and the
/// table of functions never changes. That makes the unchecked Sendable true.
package struct KernelCompiler: @unchecked Sendable {
  /// What comes out: machine code for one architecture, or PTX for newer ones.
  package struct Code {
    /// A cubin, or PTX with its final zero.
    package let bytes: [UInt8]
    /// What the compiler said: registers and spills of every kernel.
    package let log: String
  }

  /// For example `13.0`.
  package let version: String
  private let table: UnsafePointer<krait_nvrtc>
  private let architectures: [Int]

  /// Asks the library what it can do.
  package init(_ libraries: CUDALibraries) throws(ComputeError) {
    table = try libraries.requireCompiler()
    var major: Int32 = 0
    var minor: Int32 = 0
    _ = table.pointee.version(&major, &minor)
    version = "\(major).\(minor)"
    var count: Int32 = 0
    _ = table.pointee.architecture_count(&count)
    var list = [Int32](repeating: 0, count: Int(count))
    _ = table.pointee.architectures(&list)
    architectures = list.map(Int.init).sorted()
  }

  /// The target for a compute capability: its own machine code, or the PTX of the newest
  /// architecture below it, which the driver translates.
  package func target(capability: Int) throws(ComputeError) -> String {
    if architectures.contains(capability) {
      // Instructions that only this very architecture has need the suffix.
      return "sm_\(capability)" + (capability >= 90 ? "a" : "")
    }
    guard let newest = architectures.last(where: { $0 < capability }) else {
      throw ComputeError(
        .unavailable, call: "nvrtcGetSupportedArchs",
        context: "NVRTC \(version) cannot compile for compute capability \(capability / 10)."
          + "\(capability % 10); install another nvidia-cuda-nvrtc")
    }
    return "compute_\(newest)"
  }

  /// The options of a unit: everything that the result depends on beside the sources.
  package func options(_ unit: KernelUnit, target: String) -> [String] {
    [
      "-arch=" + target, "--std=c++17", "--device-as-default-execution-space",
      "--ptxas-options=-v", "-lineinfo",
    ] + unit.defines
  }

  /// Compiles one unit.
  package func compile(
    _ unit: KernelUnit, of sources: KernelSource, target: String
  ) throws(ComputeError) -> Code {
    var program: krait_nvrtc_program?
    let headers = sources.headers
    let created = withCStrings(headers.map(sources.text)) { texts in
      withCStrings(headers) { names in
        table.pointee.create(
          &program, sources.text(unit.file), unit.file, Int32(headers.count), texts, names)
      }
    }
    guard created == 0, let program else { throw failure(created, "nvrtcCreateProgram", unit, "") }
    defer {
      var doomed: krait_nvrtc_program? = program
      _ = table.pointee.destroy(&doomed)
    }
    let options = options(unit, target: target)
    let status = withCStrings(options) {
      table.pointee.compile(program, Int32(options.count), $0)
    }
    var logBytes = 0
    _ = table.pointee.log_size(program, &logBytes)
    var log = [CChar](repeating: 0, count: max(1, logBytes))
    _ = table.pointee.log(program, &log)
    let text = String(decoding: log.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard status == 0 else { throw failure(status, "nvrtcCompileProgram", unit, text) }
    return Code(bytes: try code(of: program, unit, target), log: text)
  }

  private func code(
    of program: krait_nvrtc_program, _ unit: KernelUnit, _ target: String
  ) throws(ComputeError) -> [UInt8] {
    let isPTX = target.hasPrefix("compute")
    var size = 0
    let sized =
      isPTX ? table.pointee.ptx_size(program, &size) : table.pointee.cubin_size(program, &size)
    guard sized == 0, size > 0 else { throw failure(sized, "nvrtcGetCUBINSize", unit, "") }
    var bytes = [CChar](repeating: 0, count: size)
    let read = isPTX ? table.pointee.ptx(program, &bytes) : table.pointee.cubin(program, &bytes)
    guard read == 0 else { throw failure(read, "nvrtcGetCUBIN", unit, "") }
    return bytes.map(UInt8.init(bitPattern:))
  }

  private func failure(
    _ code: Int32, _ call: String, _ unit: KernelUnit, _ log: String
  ) -> ComputeError {
    let text = table.pointee.error_text(code).map { String(cString: $0) } ?? "error \(code)"
    let advice =
      code == 7 ? "; libnvrtc-builtins is missing beside libnvrtc: reinstall nvidia-cuda-nvrtc" : ""
    return ComputeError(
      .library(code), call: call,
      context: "\(text), while compiling the kernel file \(unit.file)\(advice)"
        + (log.isEmpty ? "" : ":\n" + log))
  }
}

/// Calls a function with C strings that live as long as the call.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
  let copies = strings.map { string in
    let bytes = Array(string.utf8CString)
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    copy.initialize(from: bytes, count: bytes.count)
    return copy
  }
  defer { for copy in copies { copy.deallocate() } }
  let list = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: strings.count + 1)
  defer { list.deallocate() }
  for (index, copy) in copies.enumerated() { list[index] = UnsafePointer(copy) }
  list[strings.count] = nil
  return body(list)
}
