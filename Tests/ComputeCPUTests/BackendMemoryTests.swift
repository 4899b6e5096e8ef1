import Compute
import ComputeCPU
import Testing

@Suite struct BackendMemoryTests {
  @Test func whatIsWrittenIsReadBackAndGapsStay() throws {
    let backend = CPUBackend(threads: 1, library: MatrixLibrary.discover())
    let arena = try Arena(
      byteCount: Arena.bytes(rows: 4, columns: 8), on: backend, purpose: "test")
    let whole = arena.take(rows: 4, columns: 8)
    try backend.write([Float](repeating: 7, count: 32), to: whole)
    let part = whole.columns(2..<5).rows(1..<3)
    try backend.write([1, 2, 3, 4, 5, 6] as [Float], to: part)
    #expect(try backend.read(part) == [1, 2, 3, 4, 5, 6])
    #expect(try backend.read(whole).filter { $0 == 7 }.count == 26)
  }
}
