import Compute

extension CaseList {
  static var packedProduct: [OperationCase] {
    PatternShape.small.flatMap { shape in
      ([.none, .separate, .output] as [ProductOptions.Addend]).map {
        packedProduct(shape, addend: $0)
      }
    }
  }

  static func packedProduct(_ shape: PatternShape, addend: ProductOptions.Addend) -> OperationCase {
    let (t, k, d, f) = (shape.tokens, shape.kept, shape.width, shape.neurons)
    let slicing = shape.slicing
    return OperationCase(
      "PackedProduct", "\(shape)\(addend == .none ? "" : ", adding \(addend)")",
      shape.tensors + [
        .input("packed", t, k, .normal(t * k, seed: 1), slicing: slicing),
        .input("weights", f, d, .normal(f * d, seed: 2), slicing: slicing),
        .hidden("input", t, d, .normal(t * d, seed: 3)),
        .input("addend", t, d, .normal(t * d, seed: 5), slicing: slicing),
        addend == .output
          ? .update("output", t, d, .normal(t * d, seed: 4), slicing: slicing)
          : .output("output", t, d, slicing: slicing),
      ],
      tolerance: .sum(of: k + 1),
      // Product 5: with packed = dH it is the gradient by the input of product 1.
      derivative: shape.isTiny && addend != .separate
        ? Derivative([.init(variable: "input", gradient: "output", accumulates: addend == .output)])
        {
          shape.keptSum($0, rows: "input", width: d)
        } : nil,
      make: {
        let added: TensorView? =
          switch addend {
          case .none: nil
          case .separate: $0["addend"]
          case .output: $0["output"]
          }
        return PackedProduct(
          packed: $0["packed"], weights: $0["weights"], pattern: shape.pattern($0),
          output: $0["output"], adding: added)
      }, run: { try $0.run($1) },
      reference: { numbers in
        let packed = numbers["packed"]
        let weights = numbers["weights"]
        var output = addend == .separate ? numbers["addend"] : numbers["output"]
        shape.forEachKept(numbers) { position, token, j, neuron in
          for column in 0..<d {
            output[token, column] += packed[position, j] * weights[neuron, column]
          }
        }
        numbers["output"] = output
      })
  }
}
