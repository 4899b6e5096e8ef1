import CPUKernels
import Glibc

/// What dense products on the CPU are computed with: a BLAS found at run time, or our own kernels.
///
/// Every call runs on one thread; `ParallelRows` runs several calls side by side. So thread pools
/// of libraries never compete with ours, and results do not depend on the number of threads.
public final class MatrixLibrary: Sendable {
  /// The kinds of library.
  public enum Kind: String, Sendable, CaseIterable {
    /// OpenBLAS through its CBLAS interface.
    case openBLAS = "openblas"
    /// Intel MKL through its CBLAS interface.
    case mkl
    /// oneDNN's sgemm.
    case oneDNN = "onednn"
    /// Krait's own kernels: always there.
    case own
  }

  /// Which kind it is.
  public let kind: Kind
  /// For people: name, version, instruction family.
  public let name: String
  /// Sentences worth telling: what was tried, what is slow. For `krait doctor`.
  public let notes: [String]
  /// The family of our own kernels for what no library does: products through index lists.
  let family: krait_family
  private let entry: Entry

  /// How the library is called.
  enum Entry: Sendable {
    case cblas(CBLASProduct)
    case oneDNN(OneDNNProduct)
    case own
  }

  init(
    kind: Kind, name: String, notes: [String], entry: Entry,
    family: krait_family = KRAIT_FAMILY_BEST
  ) {
    self.kind = kind
    self.name = name
    self.notes = notes
    self.entry = entry
    self.family = family
  }

  /// `c = alpha · op(a) · op(b) + beta · c`, row-major, on the calling thread.
  ///
  /// Shapes: op(a) [m, k], op(b) [k, n], c [m, n]; `lda`, `ldb`, `ldc` are elements from row to
  /// row of the stored matrices. With beta 0, c is not read.
  public func sgemm(
    transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Float,
    a: UnsafePointer<Float>, lda: Int, b: UnsafePointer<Float>, ldb: Int, beta: Float,
    c: UnsafeMutablePointer<Float>, ldc: Int, workspace: UnsafeMutableRawPointer
  ) {
    guard m > 0 && n > 0 else { return }
    if k == 0 || beta != 0 && beta != 1 { MatrixLibrary.scale(c, m: m, n: n, ldc: ldc, by: beta) }
    guard k > 0 else { return }
    let sum: Float = beta == 0 ? 0 : 1
    switch entry {
    case .cblas(let product):
      // CblasRowMajor 101, NoTrans 111, Trans 112.
      product(
        101, transposeA ? 112 : 111, transposeB ? 112 : 111, Int32(m), Int32(n), Int32(k), alpha,
        a, Int32(lda), b, Int32(ldb), sum, c, Int32(ldc))
    case .oneDNN(let product):
      _ = product(
        CChar(bitPattern: UInt8(ascii: transposeA ? "T" : "N")),
        CChar(bitPattern: UInt8(ascii: transposeB ? "T" : "N")), Int64(m), Int64(n), Int64(k),
        alpha, a, Int64(lda), b, Int64(ldb), sum, c, Int64(ldc))
    case .own:
      krait_sgemm(
        family, m, n, k,
        krait_matrix(
          base: a, stride: lda, rows32: nil, rows16: nil, transposed: transposeA ? 1 : 0),
        krait_matrix(
          base: b, stride: ldb, rows32: nil, rows16: nil, transposed: transposeB ? 1 : 0),
        krait_output(base: c, stride: ldc, rows32: nil, rows16: nil), alpha, sum == 0 ? 0 : 1,
        KRAIT_EPILOGUE_NONE, nil, 0, workspace)
    }
  }

  /// Bytes of scratch memory that `sgemm` wants from its caller.
  public static var workspaceBytes: Int { krait_sgemm_workspace() }

  private static func scale(
    _ c: UnsafeMutablePointer<Float>, m: Int, n: Int, ldc: Int, by beta: Float
  ) {
    for row in 0..<m {
      for column in 0..<n {
        // Zero must win over whatever is there, NaN included.
        c[row * ldc + column] = beta == 0 ? 0 : c[row * ldc + column] * beta
      }
    }
  }
}

/// `cblas_sgemm` with 32-bit integers.
typealias CBLASProduct =
  @Sendable @convention(c) (
    Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
    UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
  ) -> Void

/// `dnnl_sgemm`, row-major.
typealias OneDNNProduct =
  @Sendable @convention(c) (
    CChar, CChar, Int64, Int64, Int64, Float, UnsafePointer<Float>, Int64, UnsafePointer<Float>,
    Int64, Float, UnsafeMutablePointer<Float>, Int64
  ) -> Int32
