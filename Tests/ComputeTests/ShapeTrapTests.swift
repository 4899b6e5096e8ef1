import Compute
import Testing

/// A shape that does not fit ends the process with a sentence that names both sizes, in the build
/// that ships too.
@Suite struct ShapeTrapTests {
  /// Nothing is behind the address: shapes are checked before memory is touched.
  static func view(_ rows: Int, _ columns: Int, _ type: ElementType = .float32) -> TensorView {
    TensorView(address: 4096, rows: rows, columns: columns, elementType: type)
  }

  private func expectSentence(_ result: ExitTest.Result, _ parts: String...) {
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    for part in parts { #expect(text.contains(part), "\(text)") }
  }

  @Test func contractionOfAProduct() async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      MatrixMultiply(
        ShapeTrapTests.view(3, 5), ShapeTrapTests.view(7, 4), into: ShapeTrapTests.view(3, 4)
      ).checkShapes()
    }
    expectSentence(result, "MatrixMultiply", "contraction", "7 is not 5")
  }

  @Test func addendOfAProduct() async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      MatrixMultiply(
        ShapeTrapTests.view(3, 5), ShapeTrapTests.view(5, 4), into: ShapeTrapTests.view(3, 4),
        adding: ShapeTrapTests.view(2, 4)
      ).checkShapes()
    }
    expectSentence(result, "addend rows", "2 is not 3")
  }

  @Test func elementTypeOfTokens() async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      Embedding.Forward(
        tokens: ShapeTrapTests.view(1, 3), table: ShapeTrapTests.view(9, 4),
        output: ShapeTrapTests.view(3, 4)
      ).checkShapes()
    }
    expectSentence(result, "tokens is float32, not int32")
  }

  @Test func widthOfRMSNorm() async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      RMSNorm.Forward(
        input: ShapeTrapTests.view(3, 8), weight: ShapeTrapTests.view(1, 7),
        output: ShapeTrapTests.view(3, 8), inverseRMS: ShapeTrapTests.view(1, 3), epsilon: 1e-5
      ).checkShapes()
    }
    expectSentence(result, "weight", "7 is not 8")
  }

  @Test func headsOfAttention() async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let geometry = Attention.Geometry(
        sequences: 1, queryLength: 3, heads: 2, keyValueHeads: 1, headWidth: 4)
      Attention.Forward(
        geometry: geometry, query: ShapeTrapTests.view(3, 8), key: ShapeTrapTests.view(3, 8),
        value: ShapeTrapTests.view(3, 4), output: ShapeTrapTests.view(3, 8),
        logSumExp: ShapeTrapTests.view(2, 3)
      ).checkShapes()
    }
    expectSentence(result, "key width", "8 is not 4")
  }

  @Test func blocksOfAPattern() async {
    await #expect(processExitsWith: .failure) {
      let pattern = PackedPattern(
        order: nil, columns: ShapeTrapTests.view(2, 3, .uint16), blockTokens: 4)
      PackColumns(
        values: ShapeTrapTests.view(9, 8), pattern: pattern, packed: ShapeTrapTests.view(9, 3)
      ).checkShapes()
    }
  }

  @Test func foursOfAMask() async {
    await #expect(processExitsWith: .failure) {
      MaskFours(values: ShapeTrapTests.view(2, 6), keep: 2).checkShapes()
    }
  }

  @Test func neuronsBeyondSixteenBits() async {
    await #expect(processExitsWith: .failure) {
      SelectColumns(
        sums: ShapeTrapTests.view(1, 65537), groupWidth: 65537, keepPerGroup: 1,
        columns: ShapeTrapTests.view(1, 1, .uint16)
      ).checkShapes()
    }
  }
}
