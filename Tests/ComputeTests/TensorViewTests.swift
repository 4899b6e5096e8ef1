import Compute
import Testing

@Suite struct TensorViewTests {
  private let view = TensorView(
    address: 0x1000, rows: 5, columns: 7, stride: 10, elementType: .bfloat16)

  @Test func partsStartWhereTheirFirstElementIs() {
    let part = view.rows(2..<4).columns(3..<7)
    #expect(part.address == 0x1000 + UInt64((2 * 10 + 3) * 2))
    #expect(part.rows == 2 && part.columns == 4 && part.stride == 10)
    #expect(part == view.columns(3..<7).rows(2..<4))
    #expect(view.rows(0..<5) == view)
    #expect(view.rows(2..<2).count == 0)
  }

  @Test func sizesCountGapsOnlyInBytes() {
    #expect(view.count == 35)
    #expect(view.byteCount == (4 * 10 + 7) * 2)
    #expect(!view.isContiguous)
    #expect(view.rows(1..<2).isContiguous)
    #expect(TensorView(address: 8, rows: 0, columns: 4).byteCount == 0)
  }

  @Test func contiguousViewsReshape() {
    let matrix = TensorView(address: 64, rows: 4, columns: 6)
    let other = matrix.reshaped(rows: 3, columns: 8)
    #expect(other.rows == 3 && other.columns == 8 && other.stride == 8 && other.address == 64)
  }

  @Test func gapsCannotBeReshaped() async {
    await #expect(processExitsWith: .failure) {
      _ = TensorView(address: 64, rows: 4, columns: 6, stride: 7).reshaped(rows: 6, columns: 4)
    }
  }

  @Test func countsMustAgree() async {
    await #expect(processExitsWith: .failure) {
      _ = TensorView(address: 64, rows: 4, columns: 6).reshaped(rows: 5, columns: 5)
    }
  }

  @Test func partsEndWhereTheViewEnds() async {
    await #expect(processExitsWith: .failure) {
      _ = TensorView(address: 64, rows: 4, columns: 6).rows(2..<5)
    }
    await #expect(processExitsWith: .failure) {
      _ = TensorView(address: 64, rows: 4, columns: 6).columns(0..<7)
    }
    await #expect(processExitsWith: .failure) {
      _ = TensorView(address: 64, rows: 4, columns: 6, stride: 5)
    }
  }
}
