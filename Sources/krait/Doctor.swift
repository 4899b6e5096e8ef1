import ArgumentParser
import Compute
import ComputeCPU
import ComputeCUDA
import Foundation

/// What was found, what is missing, what to do about it.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what was found on this machine, what is missing, what to do about it.")

  func run() throws {
    let features = CPUFeatures.current
    print("krait \(KraitVersion.text)")
    print("")
    print("Processor   \(features.model)")
    print("Cores       \(CPUBackend.availableCores) that this process may use")
    let vectors = features.hasAVX512 ? "AVX-512" : features.has("avx2") ? "AVX2" : "baseline"
    print("Vectors     \(vectors)")
    print("Memory      \(ProcessInfo.processInfo.physicalMemory >> 20) MiB")
    print("")
    print("Matrix libraries (the first is used unless device.blas or KRAIT_BLAS says otherwise):")
    var table = TextTable(["library", "GFLOP/s, one core"])
    for library in MatrixLibrary.all() {
      table.add([library.name, fixed(gigaflops(library), 0)])
    }
    print(table.text)
    do {
      let chosen = try MatrixLibrary.discover(preferring: "")
      print("  used: \(chosen.name)")
      for note in chosen.notes { print("  note: \(note)") }
    } catch {
      print("  used: none, until KRAIT_BLAS is another: \(error.context)")
    }
    print("")
    printGPU()
  }

  /// The GPU, NVIDIA's libraries, and where compiled kernels are kept.
  private func printGPU() {
    let libraries = CUDALibraries()
    do {
      print("GPU         \(try CUDABackend.describeDevice(libraries))")
    } catch {
      print("GPU         none that Krait can use: \(error.context)")
    }
    for finding in libraries.findings {
      print("  \(finding.purpose): \(finding.path ?? "\(finding.name) not found"), \(finding.note)")
    }
    print("  kernel cache: \(CUDABackend.kernelCacheFolder)")
  }

  /// The rate of a 512 x 512 x 512 product, best of several.
  private func gigaflops(_ library: MatrixLibrary) -> Double {
    let n = 512
    let a = [Float](repeating: 0.5, count: n * n)
    var c = [Float](repeating: 0, count: n * n)
    let workspace = UnsafeMutableRawPointer.allocate(
      byteCount: MatrixLibrary.workspaceBytes, alignment: 64)
    defer { workspace.deallocate() }
    var best = Double.infinity
    for _ in 0..<8 {
      let start = InterleavedTimer.now()
      a.withUnsafeBufferPointer { left in
        c.withUnsafeMutableBufferPointer { target in
          guard let left = left.baseAddress, let target = target.baseAddress else { return }
          library.sgemm(
            transposeA: false, transposeB: true, m: n, n: n, k: n, alpha: 1, a: left, lda: n,
            b: left, ldb: n, beta: 0, c: target, ldc: n, workspace: workspace)
        }
      }
      best = min(best, InterleavedTimer.now() - start)
    }
    return 2 * Double(n * n * n) / best * 1e-9
  }
}
