public import Compute
import CPUKernels
import Glibc

extension MatrixLibrary {
  /// The environment variable that chooses: a kind, or the path of a library with CBLAS symbols.
  public static let environmentVariable = "KRAIT_BLAS"

  /// The best library of this machine: OpenBLAS, MKL, oneDNN, our own, in that order.
  public static func discover() -> MatrixLibrary {
    guard let library = try? discover(preferring: "") else { return own(notes: []) }
    return library
  }

  /// The library a user asked for, or the best one when nobody did.
  ///
  /// - Parameter choice: a kind, a path, or empty: then `KRAIT_BLAS` decides.
  /// - Throws: `ComputeError` when what was asked for cannot be opened.
  public static func discover(preferring choice: String) throws(ComputeError) -> MatrixLibrary {
    var wish = choice
    if wish.isEmpty, let value = getenv(environmentVariable) { wish = String(cString: value) }
    var notes: [String] = []
    if wish.isEmpty {
      for kind in [Kind.openBLAS, .mkl, .oneDNN] {
        if let library = open(kind, notes: &notes) { return library }
      }
      notes.append(
        "no matrix library was found: using Krait's own kernels; on Debian, "
          + "'apt-get install libopenblas0' adds a faster one")
      return own(notes: notes)
    }
    if wish == Kind.own.rawValue { return own(notes: []) }
    if let kind = Kind(rawValue: wish) {
      if let library = open(kind, notes: &notes) { return library }
    } else if wish.contains("/") {
      if let library = open(path: wish, as: .openBLAS, notes: &notes) { return library }
    } else {
      throw ComputeError(
        .unavailable, call: "choosing the matrix library",
        context:
          "'\(wish)' is none; device.blas, --blas and KRAIT_BLAS take openblas, mkl, onednn, "
          + "own or the path of a library")
    }
    throw ComputeError(
      .unavailable, call: "dlopen",
      context: "the matrix library '\(wish)' cannot be used: "
        + notes.joined(separator: "; ") + "; leave device.blas and KRAIT_BLAS empty for the best "
        + "one there is")
  }

  /// Every library that this machine can open, our own included: for tests and `doctor`.
  public static func all() -> [MatrixLibrary] {
    var notes: [String] = []
    let found = [Kind.openBLAS, .mkl, .oneDNN].compactMap { open($0, notes: &notes) }
    return found + [own(notes: notes)]
  }

  /// Our own kernels once for every instruction family that this machine can run, the best first:
  /// what another machine would use can be tested here.
  public static func ownFamilies() -> [MatrixLibrary] {
    [KRAIT_FAMILY_AVX512, KRAIT_FAMILY_AVX2, KRAIT_FAMILY_PORTABLE]
      .filter { krait_family_available($0) != 0 }
      .map { own(notes: [], family: $0) }
  }

  // MARK: Opening

  private static func candidates(_ kind: Kind) -> [String] {
    switch kind {
    case .openBLAS: ["libopenblas.so.0", "libopenblas.so"]
    case .mkl: ["libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so.1", "libmkl_rt.so"]
    case .oneDNN: ["libdnnl.so.3", "libdnnl.so.2", "libdnnl.so"]
    case .own: []
    }
  }

  /// Where package managers put libraries that the loader does not search.
  private static let folders = [
    "", "/usr/lib/x86_64-linux-gnu/openblas-pthread/",
    "/usr/lib/aarch64-linux-gnu/openblas-pthread/", "/usr/local/lib/", "/opt/OpenBLAS/lib/",
    "/opt/intel/oneapi/mkl/latest/lib/", "/opt/intel/oneapi/mkl/latest/lib/intel64/",
  ]

  private static func open(_ kind: Kind, notes: inout [String]) -> MatrixLibrary? {
    for name in candidates(kind) {
      for folder in folders {
        if let library = open(path: folder + name, as: kind, notes: &notes) { return library }
      }
    }
    notes.append("no \(kind.rawValue): tried \(candidates(kind).joined(separator: ", "))")
    return nil
  }

  private static func open(path: String, as kind: Kind, notes: inout [String]) -> MatrixLibrary? {
    if kind == .openBLAS { prepareOpenBLAS() }
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else { return nil }
    func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(handle, name) }
    if kind == .oneDNN {
      guard let product = symbol("dnnl_sgemm") else {
        notes.append("\(path) has no dnnl_sgemm")
        return nil
      }
      oneThread(symbol("omp_set_num_threads"))
      return MatrixLibrary(
        kind: kind, name: "oneDNN (\(path))", notes: notes,
        entry: .oneDNN(unsafeBitCast(product, to: OneDNNProduct.self)))
    }
    guard let product = symbol("cblas_sgemm") else {
      notes.append("\(path) has no cblas_sgemm")
      return nil
    }
    for name in ["openblas_set_num_threads", "MKL_Set_Num_Threads"] { oneThread(symbol(name)) }
    var name = kind == .mkl ? "MKL (\(path))" : "BLAS (\(path))"
    if let core = text(symbol("openblas_get_corename")) {
      let version = text(symbol("openblas_get_config"))?.split(separator: " ").prefix(2)
        .joined(separator: " ")
      name = "\(version ?? "OpenBLAS"), \(core) kernels"
      if slowCores.contains(core.lowercased()) {
        notes.append(
          "OpenBLAS chose its slow '\(core)' kernels for this processor "
            + "(\(CPUFeatures.current.model)); set OPENBLAS_CORETYPE=Haswell (or SkylakeX with "
            + "AVX-512) before starting krait, or use --blas own")
      }
    }
    return MatrixLibrary(
      kind: kind, name: name, notes: notes,
      entry: .cblas(unsafeBitCast(product, to: CBLASProduct.self)))
  }

  static func own(
    notes: [String], family: krait_family = krait_best_family()
  ) -> MatrixLibrary {
    let instructions =
      switch family {
      case KRAIT_FAMILY_AVX512: "AVX-512"
      case KRAIT_FAMILY_AVX2: "AVX2"
      default: "portable"
      }
    return MatrixLibrary(
      kind: .own, name: "Krait's own kernels (\(instructions))", notes: notes, entry: .own,
      family: family)
  }

  // MARK: OpenBLAS and the processors it does not know

  /// Kernels that OpenBLAS falls back to when it does not know a processor.
  private static let slowCores: Set<String> = [
    "prescott", "generic", "core2", "nehalem", "katmai", "northwood", "banias", "dunnington",
  ]

  /// Debian's 0.3.21 takes processors newer than itself for a Prescott. The variable must be set
  /// before the library is loaded; a user's own choice is left alone. AMD's Zen kernels are the
  /// AVX2 ones, and known there; AVX-512 processors of both makers get AVX-512 kernels.
  private static func prepareOpenBLAS() {
    setenv("OPENBLAS_NUM_THREADS", "1", 0)
    guard let core = preferredCore(CPUFeatures.current) else { return }
    setenv("OPENBLAS_CORETYPE", core, 0)
  }

  /// The OpenBLAS kernels to ask for; nil leaves the choice to the library (not x86-64).
  static func preferredCore(_ features: CPUFeatures) -> String? {
    if features.hasAVX512 { return features.has("avx512_bf16") ? "Cooperlake" : "SkylakeX" }
    if features.has("avx2") && features.has("fma") {
      return features.vendor == "AuthenticAMD" ? "Zen" : "Haswell"
    }
    return nil
  }

  private static func oneThread(_ symbol: UnsafeMutableRawPointer?) {
    guard let symbol else { return }
    unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)(1)
  }

  private static func text(_ symbol: UnsafeMutableRawPointer?) -> String? {
    guard let symbol else { return nil }
    let call = unsafeBitCast(symbol, to: (@convention(c) () -> UnsafePointer<CChar>?).self)
    return call().map { String(cString: $0) }
  }
}
