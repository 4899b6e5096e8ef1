import Compute
import CUDAInterface

/// NVIDIA's libraries as far as this machine has them, each opened once per process.
///
/// The tables are never freed: libraries of the driver do not survive being closed.
public final class CUDALibraries {
  /// One library, for `krait doctor`.
  public struct Finding: Sendable, Equatable {
    /// What it is for.
    public let purpose: String
    /// For example `libcublasLt.so.13`.
    public let name: String
    /// Where it was found; nil when it was not.
    public let path: String?
    /// Its version, or what is wrong and what to do.
    public let note: String
  }

  /// The driver; nil when this machine has none.
  let driver: UnsafePointer<krait_driver>?
  /// The run-time compiler.
  let compiler: UnsafePointer<krait_nvrtc>?
  /// Matrix products; optional.
  let products: UnsafePointer<krait_cublaslt>?
  /// Fused attention; optional.
  let attention: UnsafePointer<krait_cudnn>?
  /// What was found, in the order above.
  public let findings: [Finding]

  /// Searches this machine.
  public init() {
    let search = LibrarySearch()
    var findings: [Finding] = []
    driver = CUDALibraries.load(
      search, "GPU driver", ["libcuda.so.1"], krait_load_driver, &findings,
      missing: "no NVIDIA driver was found"
    ) { CUDALibraries.driverVersion($0) }
    compiler = CUDALibraries.load(
      search, "kernel compiler (NVRTC)", ["libnvrtc.so.13", "libnvrtc.so.12"],
      krait_load_nvrtc, &findings,
      missing: "needed to compute on the GPU: pip install nvidia-cuda-nvrtc"
    ) { table in
      var major: Int32 = 0
      var minor: Int32 = 0
      _ = table.pointee.version(&major, &minor)
      return "version \(major).\(minor)"
    }
    products = CUDALibraries.load(
      search, "matrix products (cuBLASLt)", ["libcublasLt.so.13", "libcublasLt.so.12"],
      krait_load_cublaslt, &findings,
      missing: "it makes matrix products fast: pip install nvidia-cublas"
    ) { "version \($0.pointee.version())" }
    attention = CUDALibraries.load(
      search, "fused attention (cuDNN)", ["libcudnn.so.9"], krait_load_cudnn, &findings,
      missing: "it makes attention fast: pip install nvidia-cudnn-cu13"
    ) { table in
      let version = table.pointee.version()
      return "version \(version)"
        + (version < FusedAttention.oldestVersion
          ? ", older than \(FusedAttention.oldestVersion): update it" : "")
    }
    self.findings = findings
  }

  /// Opens one library and fills its table.
  private static func load<Table>(
    _ search: LibrarySearch, _ purpose: String, _ names: [String],
    _ fill: (UnsafeMutableRawPointer, UnsafeMutablePointer<Table>) -> UnsafePointer<CChar>?,
    _ findings: inout [Finding], missing: String, version: (UnsafePointer<Table>) -> String
  ) -> UnsafePointer<Table>? {
    var problems: [String] = []
    guard let found = search.open(names, problems: &problems) else {
      let reasons = problems.isEmpty ? "" : " (\(problems.joined(separator: "; ")))"
      findings.append(
        Finding(
          purpose: purpose, name: names.joined(separator: " or "), path: nil,
          note: missing + reasons + "; if there is one, name its folder in "
            + LibrarySearch.environmentVariable))
      return nil
    }
    let table = UnsafeMutablePointer<Table>.allocate(capacity: 1)
    if let symbol = fill(found.handle, table) {
      table.deallocate()
      findings.append(
        Finding(
          purpose: purpose, name: names[0], path: found.path,
          note: "has no \(String(cString: symbol)): it is too old; update it"))
      return nil
    }
    findings.append(
      Finding(
        purpose: purpose, name: names[0], path: found.path, note: version(UnsafePointer(table))))
    return UnsafePointer(table)
  }

  private static func driverVersion(_ table: UnsafePointer<krait_driver>) -> String {
    var version: Int32 = 0
    _ = table.pointee.driver_version(&version)
    return "supports CUDA \(version / 1000).\(version % 1000 / 10)"
  }

  /// The driver, or the sentence that says why there is none.
  func requireDriver() throws(ComputeError) -> UnsafePointer<krait_driver> {
    try require(driver, 0)
  }

  /// The compiler, or the sentence that says why there is none.
  func requireCompiler() throws(ComputeError) -> UnsafePointer<krait_nvrtc> {
    try require(compiler, 1)
  }

  /// The libraries that Krait can do without.
  enum Optional: Int {
    case products = 2
    case attention = 3
  }

  /// What it costs that a library cannot be used, and why, as far as finding it tells.
  func warning(for library: Optional) -> String {
    let finding = findings[library.rawValue]
    let cost = library == .products ? "matrix products" : "attention"
    return "Krait's own kernels compute \(cost), slowly: \(finding.purpose), "
      + "\(finding.path ?? finding.name): \(finding.note)"
  }

  private func require<Table>(
    _ table: UnsafePointer<Table>?, _ index: Int
  ) throws(ComputeError) -> UnsafePointer<Table> {
    if let table { return table }
    let finding = findings[index]
    throw ComputeError(
      .unavailable, call: "dlopen",
      context: "\(finding.purpose), \(finding.path ?? finding.name): \(finding.note)")
  }
}
