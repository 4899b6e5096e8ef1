import Compute
import ComputeCPU
import FeedForward
import Testing
import Transformer

/// Logits, losses and every gradient equal Hugging Face's, with every matrix library that is here.
@Suite struct ArceeParityTests {
  static let tolerance = 1e-4
  static let libraries = MatrixLibrary.all().map(\.kind)

  @Test(arguments: ArceeGolden.names, libraries)
  func logitsLossesAndGradients(name: String, library: MatrixLibrary.Kind) throws {
    let golden = try ArceeGolden.load(name)
    let model = try ArceeParityTests.model(golden, library)

    let length = golden.tokens.count / golden.sequences
    let session = try InferenceSession(
      model, sequences: golden.sequences, capacity: length, maximumChunk: length)
    let logits = try session.allLogits(golden.tokens)
    #expect(Difference.relative(logits, golden.logits) < ArceeParityTests.tolerance)
    let evaluated = try session.losses(tokens: golden.tokens, targets: golden.targets)
    #expect(Difference.relative(evaluated, golden.losses) < ArceeParityTests.tolerance)

    let pass = try TrainingPass(
      model, feedForward: FeedForwardConfiguration(), sequences: golden.sequences,
      sequenceLength: length)
    try pass.feedForward.switchMode(to: .dense)
    let losses = try pass.run(
      tokens: golden.tokens, targets: golden.targets,
      gradientScale: 1 / Float(golden.tokens.count))
    #expect(Difference.relative(losses, golden.losses) < ArceeParityTests.tolerance)

    let gradients = try ArceeParityTests.standard(pass.gradients, model)
    #expect(Set(gradients.keys) == Set(golden.gradients.keys))
    for (tensor, expected) in golden.gradients {
      let difference = Difference.relative(gradients[tensor] ?? [], expected)
      #expect(difference < ArceeParityTests.tolerance, "\(tensor): \(difference)")
    }
  }

  @Test func aWrongGradientWouldBeSeen() throws {
    let golden = try ArceeGolden.load("untied")
    for (tensor, expected) in golden.gradients {
      #expect(expected.contains { $0 != 0 }, "\(tensor) is all zero")
      var other = expected
      let largest = expected.indices.max { abs(expected[$0]) < abs(expected[$1]) } ?? 0
      other[largest] *= 1.0002
      #expect(Difference.relative(other, expected) > ArceeParityTests.tolerance, "\(tensor)")
    }
  }

  /// A model with the golden weights, set through the table's export names.
  static func model(
    _ golden: ArceeGolden, _ library: MatrixLibrary.Kind = .own
  ) throws -> TransformerModel {
    let backend = CPUBackend(
      threads: 2, library: try MatrixLibrary.discover(preferring: library.rawValue))
    let model = try TransformerModel(golden.model.configuration, on: backend)
    for entry in model.table.entries {
      for tensor in entry.exports {
        let values = golden.weights(
          tensor.name, count: tensor.rows.count * entry.columns, isVector: tensor.isVector)
        let rows =
          tensor.transposed
          ? transpose(values, rows: entry.columns, columns: tensor.rows.count) : values
        try backend.write(rows, to: model.parameters.view(entry).rows(tensor.rows))
      }
    }
    return model
  }

  /// What an arena holds, by standard name, in the standard layout.
  static func standard(
    _ arena: ParameterArena, _ model: TransformerModel
  ) throws -> [String: [Float]] {
    var result: [String: [Float]] = [:]
    for entry in model.table.entries {
      for tensor in entry.exports {
        let rows: [Float] = try model.backend.read(arena.view(entry).rows(tensor.rows))
        result[tensor.name] =
          tensor.transposed
          ? transpose(rows, rows: tensor.rows.count, columns: entry.columns) : rows
      }
    }
    return result
  }

  static func transpose(_ values: [Float], rows: Int, columns: Int) -> [Float] {
    (0..<values.count).map { values[$0 % rows * columns + $0 / rows] }
  }
}
