import Compute

extension CaseList {
  static var keptProduct: [OperationCase] {
    PatternShape.small.flatMap { shape in
      EpilogueKind.allCases.map { keptProduct(shape, epilogue: $0) }
    }
  }

  static func keptProduct(_ shape: PatternShape, epilogue: EpilogueKind) -> OperationCase {
    let (t, k, d) = (shape.tokens, shape.kept, shape.width)
    let slicing = shape.slicing
    /// The kept entries of input · weightsᵀ.
    @Sendable func product(_ numbers: CaseNumbers) -> CaseMatrix {
      let x = numbers["input"]
      let w = numbers["weights"]
      var result = CaseMatrix(rows: t, columns: k)
      shape.forEachKept(numbers) { position, token, j, neuron in
        var sum = 0.0
        for column in 0..<d { sum += x[token, column] * w[neuron, column] }
        result[position, j] = sum
      }
      return result
    }
    return OperationCase(
      "KeptProduct", "\(shape), \(epilogue)",
      shape.tensors + [
        .input("input", t, d, .normal(t * d, seed: 1), slicing: slicing),
        .input(
          "weights", shape.neurons, d, .normal(shape.neurons * d, seed: 2), slicing: slicing),
        .hidden("hidden", t, k, .normal(t * k, seed: 3)),
        .input("activation", t, k, .activations(t * k, seed: 3), slicing: slicing),
        .output("output", t, k, slicing: slicing),
      ],
      // Where kept entries come from a dense product, that is rounded before the epilogue.
      tolerance: epilogue.tolerance(depth: d, storedBetween: true),
      // Product 3 with its epilogue is the gradient by the kept pre-activations.
      derivative: epilogue == .timesTwoSqrt && shape.isTiny
        ? Derivative(
          [.init(variable: "hidden", gradient: "output", accumulates: false)],
          distanceToKink: { abs($0[$1][$2]) }
        ) {
          zip(product($0).values, $0["hidden"].values).reduce(0) {
            $0 + $1.0 * max($1.1, 0) * max($1.1, 0)
          }
        } : nil,
      make: {
        KeptProduct(
          input: $0["input"], weights: $0["weights"], pattern: shape.pattern($0),
          output: $0["output"], epilogue: epilogue.epilogue($0))
      }, run: { try $0.run($1) },
      reference: { numbers in
        let result = product(numbers)
        let activation = numbers["activation"]
        numbers["output"].fill { epilogue.apply(result[$0, $1], activation[$0, $1]) }
      })
  }
}
