import Compute

extension CaseList {
  static var blockEnergies: [OperationCase] {
    var cases: [OperationCase] = []
    for (tokens, block) in [(1, 1), (5, 2), (9, 128), (33, 16)] {
      for (width, neurons) in [(1, 1), (7, 33), (16, 16), (40, 530)] {
        for slicing in [CaseSlicing.none, .odd] {
          for squares in [false, true] {
            cases.append(
              blockEnergies(
                tokens: tokens, width: width, neurons: neurons, blockRows: block,
                squares: squares, slicing: slicing))
          }
        }
      }
    }
    return cases
  }

  /// Sizes for tensor cores: short last blocks, blocks of several tiles, 8 bits, 2:4 weights.
  static var blockEnergyTiles: [OperationCase] {
    var cases: [OperationCase] = []
    for (tokens, width, neurons) in [(300, 144, 520), (517, 80, 264)] {
      for block in [128, 256, 64, 384, 32, 16, 8, 24, 96, 4] {
        for (allowsEightBits, squares) in [
          (false, false), (true, false), (false, true), (true, true),
        ] {
          cases.append(
            blockEnergies(
              tokens: tokens, width: width, neurons: neurons, blockRows: block,
              allowsEightBits: allowsEightBits, squares: squares,
              slicing: block == 64 ? .none : .aligned))
        }
      }
    }
    return cases + [
      blockEnergies(
        tokens: 2100, width: 136, neurons: 264, blockRows: 128, isTwoOfFour: true),
      blockEnergies(
        tokens: 2100, width: 64, neurons: 200, blockRows: 256, isTwoOfFour: true),
      blockEnergies(
        tokens: 2100, width: 144, neurons: 264, blockRows: 128, isTwoOfFour: true,
        allowsEightBits: true, slicing: .aligned),
      blockEnergies(
        tokens: 2100, width: 336, neurons: 136, blockRows: 64, isTwoOfFour: true,
        allowsEightBits: true),
      blockEnergies(
        tokens: 2100, width: 128, neurons: 200, blockRows: 96, isTwoOfFour: true,
        allowsEightBits: true),
      blockEnergies(
        tokens: 2100, width: 136, neurons: 264, blockRows: 128, isTwoOfFour: true, squares: true),
      blockEnergies(
        tokens: 2100, width: 144, neurons: 264, blockRows: 128, isTwoOfFour: true,
        allowsEightBits: true, squares: true, slicing: .aligned),
      blockEnergies(
        tokens: 2100, width: 336, neurons: 136, blockRows: 64, isTwoOfFour: true,
        allowsEightBits: true, squares: true),
      blockEnergies(tokens: 300, width: 72, neurons: 96, blockRows: 128),
      thresholdedEnergies(tokens: 2100, width: 336, neurons: 136, blockRows: 128),
      thresholdedEnergies(tokens: 2050, width: 176, neurons: 72, blockRows: 64, isSliced: true),
      thresholdedEnergies(tokens: 2100, width: 336, neurons: 136, blockRows: 128, squares: true),
      normedEnergies(blocks: 3, blockRows: 128, step: 1, width: 144, neurons: 136),
      normedEnergies(blocks: 5, blockRows: 64, step: 2, width: 80, neurons: 264),
      normedEnergies(
        blocks: 5, blockRows: 64, step: 2, width: 80, neurons: 264, squares: true),
      normedEnergies(blocks: 5, blockRows: 4, step: 4, width: 48, neurons: 40),
      normedEnergies(blocks: 3, blockRows: 16, step: 3, width: 64, neurons: 72, isSliced: true),
    ]
  }

  static func blockEnergies(
    tokens: Int, width: Int, neurons: Int, blockRows: Int,
    isTwoOfFour: Bool = false, allowsEightBits: Bool = false, squares: Bool = false,
    slicing: CaseSlicing = .none
  ) -> OperationCase {
    let blocks = (tokens + blockRows - 1) / blockRows
    // Pre-activations around 1, with 2:4 weights around the root of the width; and what is added of them.
    let activation = isTwoOfFour ? Double(width) : 1
    let typical = squares ? activation * activation : activation
    let deviation = 1 / Double(width).squareRoot()
    let weights: CaseValues =
      isTwoOfFour
      ? .twoOfFour(neurons * width, seed: 2)
      : .normal(neurons * width, seed: 2, deviation: deviation)
    return OperationCase(
      "BlockEnergies",
      "\(tokens) x \(width) by \(neurons), blocks of \(blockRows)\(isTwoOfFour ? ", 2:4" : "")\(allowsEightBits ? ", 8 bits" : "")\(squares ? ", squares" : "")"
        + "\(slicing == .none ? "" : ", sliced")",
      [
        .input("input", tokens, width, .normal(tokens * width, seed: 1), slicing: slicing),
        .input("weights", neurons, width, weights, slicing: slicing),
        .output("sums", blocks, neurons, slicing: slicing, alwaysFloat32: true),
      ],
      tolerance: allowsEightBits
        ? .eightBitEnergies(squares: squares, magnitude: typical)
        : Tolerance(
          roundings: 0x1p10, magnitude: typical, wideStorageRoundings: squares ? 6 : 3,
          reason:
            "float32 sums of squares or fourth powers; where nothing is fused a pre-activation is "
            + "stored in bfloat16 and squared, and its square stored again"),
      make: {
        BlockEnergies(
          input: $0["input"], weights: $0["weights"], blockRows: blockRows,
          squares: squares, isTwoOfFour: isTwoOfFour, allowsEightBits: allowsEightBits,
          sums: $0["sums"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        numbers.addEnergies(
          numbers["input"], numbers["weights"], blockRows: blockRows, squares: squares)
      })
  }
}

extension Tolerance {
  /// Sums of activations, or of their squares, from factors of 8 bits.
  ///
  /// - Parameter magnitude: the size of one that is added.
  static func eightBitEnergies(squares: Bool, magnitude: Double = 1) -> Tolerance {
    Tolerance(
      roundings: 0x1p24 / (squares ? 5 : 20), magnitude: (squares ? 64 : 16) * magnitude,
      reason:
        "factors of 8 bits, wrong by 2.6 % each: a pre-activation of 1 by 0.04, its square by "
        + "twice that, a sum over n tokens by that times the root of n / 2; a fourth power by four "
        + "times that, and few large ones make up a sum")
  }
}

extension CaseNumbers {
  /// Adds max(x · w, 0)² or its square to "sums", of every neuron's w and every `step`th row x of a block.
  mutating func addEnergies(
    _ input: CaseMatrix, _ weights: CaseMatrix, blockRows: Int, step: Int = 1,
    squares: Bool = false
  ) {
    for row in stride(from: 0, to: input.rows, by: step) {
      for neuron in 0..<weights.rows {
        var sum = 0.0
        for column in 0..<input.columns { sum += input[row, column] * weights[neuron, column] }
        let activation = max(sum, 0) * max(sum, 0)
        add(
          squares ? activation * activation : activation, to: "sums", row / step / blockRows, neuron
        )
      }
    }
  }
}
