import Compute

extension CaseList {
  static var packedWeightGradient: [OperationCase] {
    PatternShape.small.map { packedWeightGradient($0) }
  }

  static func packedWeightGradient(_ shape: PatternShape) -> OperationCase {
    let (t, k, d, f) = (shape.tokens, shape.kept, shape.width, shape.neurons)
    let slicing = shape.slicing
    return OperationCase(
      "PackedWeightGradient", "\(shape)",
      shape.tensors + [
        .input("packed", t, k, .normal(t * k, seed: 1), slicing: slicing),
        .input("rows", t, d, .normal(t * d, seed: 2), slicing: slicing),
        .hidden("weights", f, d, .normal(f * d, seed: 3)),
        .update(
          "weightGradient", f, d, .normal(f * d, seed: 4), slicing: slicing, alwaysFloat32: true),
      ],
      tolerance: .sum(of: t + 1),
      derivative: shape.isTiny
        ? Derivative(
          [.init(variable: "weights", gradient: "weightGradient", accumulates: true)]
        ) {
          shape.keptSum($0, rows: "rows", width: d)
        } : nil,
      make: {
        PackedWeightGradient(
          packed: $0["packed"], rows: $0["rows"], pattern: shape.pattern($0),
          weightGradient: $0["weightGradient"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let packed = numbers["packed"]
        let rows = numbers["rows"]
        var gradient = numbers["weightGradient"]
        shape.forEachKept(numbers) { position, token, j, neuron in
          for column in 0..<d {
            gradient[neuron, column] += packed[position, j] * rows[token, column]
          }
        }
        numbers["weightGradient"] = gradient
      })
  }
}
