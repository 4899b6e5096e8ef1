import Compute
import ComputeCPU
import Testing
import Transformer

/// Where the optimizer finds the gradients of a batch.
@Suite struct BatchGradientsTests {
  static func shape(width: Int = 64) -> ModelConfiguration {
    var shape = ModelConfiguration()
    shape.width = width
    shape.hiddenWidth = 2 * width
    shape.layers = 3
    shape.tiedEmbeddings = false
    shape.heads = 4
    shape.keyValueHeads = 2
    shape.headWidth = width / 4
    shape.vocabulary = 64
    return shape
  }

  /// Every element lies in one stretch, and every parameter's narrow gradient where its stretch says.
  @Test(arguments: [false, true], [false, true])
  func stretchesHoldEveryGradientOnce(isNarrow: Bool, withOutput: Bool) throws {
    let table = ParameterTable(Self.shape())
    let backend = CPUBackend(threads: 1)
    let gradients = try BatchGradients(
      table, storage: .bfloat16, allMatrices: withOutput, on: backend)
    #expect(gradients.canBeNarrow)
    gradients.isNarrow = isNarrow
    var next = 0
    for stretch in gradients.stretches {
      #expect(stretch.elements.lowerBound == next)
      #expect(stretch.values.count == stretch.elements.count)
      #expect(stretch.decays == (next < table.decayingCount))
      next = stretch.elements.upperBound
    }
    #expect(next == table.elementCount)
    for entry in table.entries {
      let view = isNarrow ? gradients.narrow(entry.role) : gradients.wide.view(entry)
      let stretch = try #require(
        gradients.stretches.first { $0.elements.contains(entry.offset) })
      let inside = stretch.values.columns(
        entry.offset - stretch.elements.lowerBound..<entry.offset - stretch.elements.lowerBound
          + entry.count)
      #expect(view == inside.reshaped(rows: entry.rows, columns: entry.columns))
    }
    let types = Set(gradients.stretches.map(\.values.elementType))
    #expect(types == (isNarrow ? [.float32, .bfloat16] : [.float32]))
    for role in [ParameterRole.embedding, .output] {
      #expect((gradients.narrow(role).elementType == .bfloat16) == withOutput)
    }
    // The narrow form lies in the wide form's memory.
    let end = gradients.wide.all.address + UInt64(gradients.wide.all.byteCount)
    for stretch in gradients.stretches {
      #expect(stretch.values.address + UInt64(stretch.values.byteCount) <= end)
    }
  }

  /// Padding would have to be cleared, and float32 has no narrower form.
  @Test func whereThereIsNoNarrowForm() throws {
    let backend = CPUBackend(threads: 1)
    let even = ParameterTable(Self.shape())
    let odd = ParameterTable(Self.shape(width: 20))
    for (table, storage) in [(even, ElementType.float32), (odd, .bfloat16)] {
      let gradients = try BatchGradients(
        table, storage: storage, allMatrices: true, on: backend)
      #expect(!gradients.canBeNarrow)
    }
  }
}
