import Compute

extension CaseList {
  static var blockEnergies: [OperationCase] {
    var cases: [OperationCase] = []
    for (tokens, block) in [(1, 1), (5, 2), (9, 128), (33, 16)] {
      for (width, neurons) in [(1, 1), (7, 33), (16, 16), (40, 530)] {
        for slicing in [CaseSlicing.none, .odd] {
          cases.append(
            blockEnergies(
              tokens: tokens, width: width, neurons: neurons, blockRows: block,
              slicing: slicing))
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
        for allowsEightBits in [false, true] {
          cases.append(
            blockEnergies(
              tokens: tokens, width: width, neurons: neurons, blockRows: block,
              allowsEightBits: allowsEightBits,
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
      blockEnergies(tokens: 300, width: 72, neurons: 96, blockRows: 128),
      thresholdedEnergies(tokens: 2100, width: 336, neurons: 136, blockRows: 128),
      thresholdedEnergies(tokens: 2050, width: 176, neurons: 72, blockRows: 64, isSliced: true),
      normedEnergies(blocks: 3, blockRows: 128, step: 1, width: 144, neurons: 136),
      normedEnergies(blocks: 5, blockRows: 64, step: 2, width: 80, neurons: 264),
      normedEnergies(blocks: 5, blockRows: 4, step: 4, width: 48, neurons: 40),
      normedEnergies(blocks: 3, blockRows: 16, step: 3, width: 64, neurons: 72, isSliced: true),
    ]
  }

  static func blockEnergies(
    tokens: Int, width: Int, neurons: Int, blockRows: Int,
    isTwoOfFour: Bool = false, allowsEightBits: Bool = false, slicing: CaseSlicing = .none
  ) -> OperationCase {
    let blocks = (tokens + blockRows - 1) / blockRows
    // Pre-activations around 1, with 2:4 weights around the root of the width; and their fourth powers.
    let typical = isTwoOfFour ? Double(width * width) : 1
    let deviation = 1 / Double(width).squareRoot()
    let weights: CaseValues =
      isTwoOfFour
      ? .twoOfFour(neurons * width, seed: 2)
      : .normal(neurons * width, seed: 2, deviation: deviation)
    return OperationCase(
      "BlockEnergies",
      "\(tokens) x \(width) by \(neurons), blocks of \(blockRows)\(isTwoOfFour ? ", 2:4" : "")\(allowsEightBits ? ", 8 bits" : "")"
        + "\(slicing == .none ? "" : ", sliced")",
      [
        .input("input", tokens, width, .normal(tokens * width, seed: 1), slicing: slicing),
        .input("weights", neurons, width, weights, slicing: slicing),
        .output("sums", blocks, neurons, slicing: slicing, alwaysFloat32: true),
      ],
      tolerance: allowsEightBits
        ? Tolerance(
          roundings: 0x1p24 / 5, magnitude: 64 * typical,
          reason:
            "factors of 8 bits, wrong by 2.6 % each: a pre-activation of 1 by 0.04, its fourth "
            + "power by four times that, and few large ones make up a sum")
        : Tolerance(
          roundings: 0x1p10, magnitude: typical, wideStorageRoundings: 6,
          reason:
            "float32 sums of fourth powers; where nothing is fused a pre-activation is stored "
            + "in bfloat16 and squared, and its square stored again and squared"),
      make: {
        BlockEnergies(
          input: $0["input"], weights: $0["weights"], blockRows: blockRows,
          isTwoOfFour: isTwoOfFour, allowsEightBits: allowsEightBits,
          sums: $0["sums"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        numbers.addEnergies(numbers["input"], numbers["weights"], blockRows: blockRows)
      })
  }
}

extension CaseNumbers {
  /// Adds max(x · w, 0)⁴ to "sums", of every neuron's w and every `step`th row x of a block.
  mutating func addEnergies(
    _ input: CaseMatrix, _ weights: CaseMatrix, blockRows: Int, step: Int = 1
  ) {
    for row in stride(from: 0, to: input.rows, by: step) {
      for neuron in 0..<weights.rows {
        var sum = 0.0
        for column in 0..<input.columns { sum += input[row, column] * weights[neuron, column] }
        let activation = max(sum, 0) * max(sum, 0)
        add(activation * activation, to: "sums", row / step / blockRows, neuron)
      }
    }
  }
}
