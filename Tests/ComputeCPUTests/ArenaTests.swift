import Compute
import ComputeCPU
import Testing

@Suite struct ArenaTests {
  @Test func slicesAreAlignedDisjointAndCounted() throws {
    let backend = CPUBackend(threads: 1)
    let sizes = [(1, 1), (3, 5), (1, 64), (7, 65)]
    let total = sizes.reduce(0) { $0 + Arena.bytes(rows: $1.0, columns: $1.1) }
    let arena = try Arena(byteCount: total, on: backend, purpose: "test")
    var end: UInt64 = 0
    for (rows, columns) in sizes {
      let slice = arena.take(rows: rows, columns: columns)
      #expect(slice.address % UInt64(Arena.alignment) == 0)
      #expect(slice.address >= end)
      end = slice.address + UInt64(slice.byteCount)
    }
    #expect(arena.usedBytes == total && arena.byteCount == total)
  }

  @Test func bytesFollowTheElementType() {
    #expect(Arena.bytes(rows: 1, columns: 128, .bfloat16) == 256)
    #expect(Arena.bytes(rows: 1, columns: 129, .bfloat16) == 512)
    #expect(Arena.bytes(rows: 1, columns: 64, .float32) == 256)
    #expect(Arena.bytes(rows: 0, columns: 64) == 0)
  }

  @Test func moreThanThereIsTraps() async {
    await #expect(processExitsWith: .failure) {
      let arena = try Arena(byteCount: 256, on: CPUBackend(threads: 1), purpose: "test")
      _ = arena.take(rows: 1, columns: 64)
      _ = arena.take(rows: 1, columns: 1)
    }
  }
}
