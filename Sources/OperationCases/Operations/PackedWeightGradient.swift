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

  /// Lists that stay, change a little, a lot and altogether; last blocks and chains that are short;
  /// slots and columns of one, two, three and four tiles of 128 and 256, and half ones.
  static var carriedWeightGradients: [OperationCase] {
    [
      (300, 128, 192, 64, 64, 0, true), (300, 128, 900, 320, 128, 40, true),
      (1400, 128, 1000, 576, 64, 90, false), (300, 128, 640, 384, 320, 60, true),
      (4800, 128, 700, 192, 64, 24, false), (400, 256, 1024, 512, 320, 512, false),
      (2000, 128, 256, 128, 192, 30, true), (300, 128, 130, 128, 1024, 2, false),
    ].map { tokens, block, neurons, kept, width, changed, ordered in
      let shape = PatternShape(
        tokens: tokens, blockTokens: block, neurons: neurons, kept: kept, width: width,
        ordered: ordered)
      return carriedWeightGradient(shape, changed: changed)
    }
  }

  /// The same on lists that change little, in an order that changes less: `AlignColumns` makes
  /// such. A backend that wants ascending lists gets those, and packed values in their order.
  static func carriedWeightGradient(_ shape: PatternShape, changed: Int) -> OperationCase {
    let (t, k, d, f) = (shape.tokens, shape.kept, shape.width, shape.neurons)
    let blocks = shape.blocks
    @Sendable func lists(ascending: Bool) -> CaseValues {
      .changingLists(
        blocks: blocks, neurons: f, kept: k, changed: changed, seed: 5, ascending: ascending)
    }
    return OperationCase(
      "PackedWeightGradient", "\(shape), \(changed) of \(k) changed from block to block",
      [
        .input("order", 1, t, .permutation(t, seed: 90)),
        .input("columns", blocks, k, lists(ascending: false)),
        .input("ascending", blocks, k, lists(ascending: true)),
        .input("packed", t, k, .normal(t * k, seed: 1), slicing: shape.slicing),
        .input("packedAscending", t, k, .derived { ascendingPacked($0, shape) }),
        .input("rows", t, d, .normal(t * d, seed: 2), slicing: shape.slicing),
        .update(
          "weightGradient", f, d, .normal(f * d, seed: 4), slicing: shape.slicing,
          alwaysFloat32: true),
      ],
      tolerance: .sum(of: t + 1),
      make: { views in
        func gradient(_ columns: String, _ packed: String, isAscending: Bool)
          -> PackedWeightGradient
        {
          var pattern = shape.pattern(views)
          pattern.columns = views[columns]
          pattern.isAscending = isAscending
          return PackedWeightGradient(
            packed: views[packed], rows: views["rows"], pattern: pattern,
            weightGradient: views["weightGradient"])
        }
        return EitherOrder(
          carried: gradient("columns", "packed", isAscending: false),
          ascending: gradient("ascending", "packedAscending", isAscending: true))
      },
      run: { backend, work in
        let takesAny =
          backend.runsImmediately || backend.alignment(of: work.carried.pattern, width: d) != nil
        try backend.run(takesAny ? work.carried : work.ascending)
      },
      reference: packedWeightGradient(shape).reference)
  }

  /// One product on lists in two orders.
  private struct EitherOrder: Operation {
    var carried: PackedWeightGradient
    var ascending: PackedWeightGradient
    var flops: Double { carried.flops }
    var bytes: Double { carried.bytes }

    func checkShapes() {
      carried.checkShapes()
      ascending.checkShapes()
    }
  }

  /// Packed values in the order of ascending lists.
  private static func ascendingPacked(_ numbers: CaseNumbers, _ shape: PatternShape) -> [Float] {
    let (columns, ascending) = (numbers["columns"], numbers["ascending"])
    let packed = numbers["packed"]
    return (0..<shape.tokens).flatMap { position -> [Float] in
      let block = position / shape.blockTokens
      var slots = [Int](repeating: 0, count: shape.neurons)
      for j in 0..<shape.kept { slots[columns.int(block, j)] = j }
      return (0..<shape.kept).map { Float(packed[position, slots[ascending.int(block, $0)]]) }
    }
  }
}
