import Compute
import ComputeCUDA
import OperationCases
import Testing

/// Every operation on the GPU against its double-precision reference: what `krait selftest` runs.
@Suite(.serialized) struct ParityTests {
  static func hasGPU() -> Bool { (try? CUDABackend.describeDevice(CUDALibraries())) != nil }

  @Test(
    .enabled(if: hasGPU(), "no NVIDIA GPU on this machine: nothing to compare"),
    arguments: [ElementType.float32, .bfloat16], [true, false])
  func everyOperationIsAsDefined(storage: ElementType, reproducible: Bool) throws {
    let gpu = try CUDABackend(storage: storage, reproducible: reproducible)
    for test in CaseList.small + CaseList.tiles {
      let check = try CaseCheck(test, on: gpu, storage: storage, repeats: reproducible)
      #expect(check.mismatch == nil)
    }
  }

  @Test(.enabled(if: hasGPU(), "no NVIDIA GPU on this machine: nothing to copy to"))
  func copiesAndZeroesKeepToTheirColumns() throws {
    let gpu = try CUDABackend(storage: .bfloat16)
    let arena = try Arena(
      byteCount: 3 * Arena.bytes(rows: 9, columns: 32, .float32), on: gpu, purpose: "a test")
    let wholes = (0..<2).map { _ in arena.take(rows: 9, columns: 32) }
    let numbers = (0..<9 * 32).map(Float.init)
    for whole in wholes { try gpu.write(numbers, to: whole) }
    try gpu.copy(from: wholes[0].columns(3..<23), to: wholes[1].columns(5..<25))
    try gpu.zero(wholes[0].columns(8..<24))
    let copied = try gpu.read(wholes[1])
    let cleared = try gpu.read(wholes[0])
    for row in 0..<9 {
      for column in 0..<32 {
        let index = row * 32 + column
        #expect(copied[index] == numbers[(5..<25).contains(column) ? index - 2 : index])
        #expect(cleared[index] == ((8..<24).contains(column) ? 0 : numbers[index]))
      }
    }
  }
}
