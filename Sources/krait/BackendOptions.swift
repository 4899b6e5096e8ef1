import ArgumentParser
import Compute
import ComputeCPU
import ComputeCUDA
import Foundation

/// Which machine computes: shared by every verb that does.
struct BackendOptions: ParsableArguments {
  @Option(help: "Where to compute: auto, cpu or cuda.")
  var backend: String = "auto"

  @Option(help: "Storage on the GPU: auto (bfloat16), bfloat16 or float32.")
  var precision: String = "auto"

  @Option(help: "Threads on the CPU; 0 takes every core this process may use.")
  var threads: Int = 0

  @Option(
    help: "Matrix library on the CPU: openblas, mkl, onednn, own, or a path; default: the best.")
  var blas: String = ""

  @Flag(
    inversion: .prefixedNo,
    help: "The same bits in every run on a GPU; --no-reproducible is faster.")
  var reproducible = true

  func validate() throws {
    if threads < 0 { throw ValidationError("--threads is \(threads); it must be 0 or more") }
  }

  /// Opens the backend.
  func open() throws -> any Backend {
    try BackendChoice.open(
      backend: backend, precision: precision, threads: threads, blas: blas,
      reproducible: reproducible)
  }
}

/// The only place that names concrete backends.
enum BackendChoice {
  /// What every kernel and library call of some work cost; nil where there are none.
  static func profile(_ backend: any Backend, _ work: () throws -> Void) throws -> [CallCost]? {
    try (backend as? CUDABackend)?.profile(work)
  }

  /// Opens a backend by name.
  static func open(
    backend: String, precision: String, threads: Int, blas: String, reproducible: Bool
  ) throws -> any Backend {
    let storage = try storage(precision)
    let threads = threads == 0 ? CPUBackend.availableCores : threads
    switch backend {
    case "auto":
      do {
        return try gpu(storage, reproducible, threads)
      } catch {
        FileHandle.standardError.write(
          Data("Computing on the CPU: \(error.context).\n".utf8))
        return try cpu(threads: threads, blas: blas)
      }
    case "cpu":
      return try cpu(threads: threads, blas: blas)
    case "cuda":
      do {
        return try gpu(storage, reproducible, threads)
      } catch {
        throw CleanError("device.backend is cuda, but \(error.call) failed: \(error.context)")
      }
    default:
      throw CleanError("device.backend is '\(backend)'; it must be auto, cpu or cuda")
    }
  }

  /// The GPU; what it has to do without is said.
  private static func gpu(
    _ storage: ElementType, _ reproducible: Bool, _ threads: Int
  ) throws(ComputeError) -> any Backend {
    let backend = try CUDABackend(
      storage: storage, reproducible: reproducible, hostThreads: threads)
    for warning in backend.warnings {
      FileHandle.standardError.write(Data("Warning: \(warning).\n".utf8))
    }
    return backend
  }

  private static func storage(_ precision: String) throws -> ElementType {
    switch precision {
    case "auto", "bfloat16": return .bfloat16
    case "float32": return .float32
    default:
      throw CleanError(
        "device.precision is '\(precision)'; it must be auto, bfloat16 or float32")
    }
  }

  private static func cpu(threads: Int, blas: String) throws -> any Backend {
    CPUBackend(threads: threads, library: try MatrixLibrary.discover(preferring: blas))
  }
}

/// A sentence for the user; printed as it is.
struct CleanError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
