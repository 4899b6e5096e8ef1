import Compute
import ComputeCPU
import ComputeCUDA
import Testing

/// Every operation on the GPU against the CPU, which is the definition.
@Suite(.serialized) struct ParityTests {
  static func hasGPU() -> Bool { (try? CUDABackend.describeDevice(CUDALibraries())) != nil }

  @Test(
    .enabled(if: hasGPU(), "no NVIDIA GPU on this machine: nothing to compare with the CPU"),
    arguments: [ElementType.float32, .bfloat16], [true, false])
  func everyOperationAgreesWithTheCPU(storage: ElementType, reproducible: Bool) throws {
    let gpu = try CUDABackend(storage: storage, reproducible: reproducible)
    let isRounded = storage == .bfloat16
    for one in ParityCase.dense + ParityCase.sparse {
      let expected = try one.run(
        Machine(CPUBackend(threads: 2), storage: .float32, isRounded: isRounded))
      let first = try one.run(Machine(gpu, storage: storage, isRounded: isRounded))
      let second = try one.run(Machine(gpu, storage: storage, isRounded: isRounded))
      #expect(expected.count == first.count)
      for (index, (wanted, got)) in zip(expected, first).enumerated() {
        #expect(
          !reproducible || bits(got) == bits(second[index]),
          "\(one.name), result \(index): not reproducible")
        if one.isExact {
          #expect(got == wanted, "\(one.name), result \(index)")
        } else {
          let error = relativeError(got, wanted)
          #expect(
            error < (isRounded ? 1e-2 : 5e-6), "\(one.name), result \(index): error \(error)")
        }
      }
    }
  }

  private func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

  /// ‖got − wanted‖ / ‖wanted‖; infinite when one is not a number.
  private func relativeError(_ got: [Float], _ wanted: [Float]) -> Double {
    guard got.count == wanted.count else { return .infinity }
    var difference = 0.0
    var size = 0.0
    for (a, b) in zip(got, wanted) {
      guard a.isFinite && b.isFinite else { return .infinity }
      difference += Double(a - b) * Double(a - b)
      size += Double(b) * Double(b)
    }
    return difference == 0 ? 0 : (difference / max(size, 1e-30)).squareRoot()
  }
}
