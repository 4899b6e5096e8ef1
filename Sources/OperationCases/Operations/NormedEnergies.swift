import Compute

extension CaseList {
  /// A norm that copies rows in 8 bits, and block sums that are made from the copy: how selection by 8 bits
  /// runs in a step. Blocks of `step` times `blockRows` tokens, of which every `step`th is summed. `isSliced`: rows lie
  /// where no kernel reads them at once.
  static func normedEnergies(
    blocks: Int, blockRows: Int, step: Int, width: Int, neurons: Int,
    squares: Bool = false, isSliced: Bool = false
  ) -> OperationCase {
    let (tokens, rows) = (blocks * blockRows * step, blocks * blockRows)
    return OperationCase(
      "BlockEnergies",
      "\(rows) x \(width) by \(neurons), blocks of \(blockRows), 8 bits of one in \(step) by a norm"
        + "\(squares ? ", squares" : "")\(isSliced ? ", sliced" : "")",
      [
        .input("hidden", tokens, width, .normal(tokens * width, seed: 1)),
        // No column may outweigh the others: its rounding would be that of every sum.
        .input(
          "gain", 1, width, .derived { _ in (0..<width).map { $0 % 3 == 0 ? -0.5 : 1 } },
          alwaysFloat32: true),
        .input("order", 1, tokens, .permutation(tokens, seed: 3)),
        .input(
          "weights", neurons, width,
          .normal(neurons * width, seed: 4, deviation: 1 / Double(width).squareRoot())),
        .output("input", tokens, width, sliced: isSliced),
        .output("inverseRMS", 1, tokens, alwaysFloat32: true),
        .work("copy", rows, width / 2),
        .output("sums", blocks, neurons, alwaysFloat32: true),
      ],
      tolerance: .eightBitEnergies(squares: squares),
      make: {
        let (input, room) = ($0["input"], $0["copy"])
        let copy = TensorView(
          address: room.address, rows: rows, columns: width / 2, elementType: .uint16)
        return InTurn(
          first: RMSNorm.Forward(
            input: $0["hidden"], weight: $0["gain"], output: input, inverseRMS: $0["inverseRMS"],
            epsilon: 1e-5, order: $0["order"],
            eightBitCopy: RMSNorm.EightBitCopy(rows: copy, step: step)),
          second: BlockEnergies(
            input: TensorView(
              address: input.address, rows: rows, columns: width, stride: step * input.stride,
              elementType: input.elementType),
            weights: $0["weights"], blockRows: blockRows, squares: squares,
            allowsEightBits: true,
            eightBitInput: copy, sums: $0["sums"]))
      },
      run: { backend, work in
        try backend.run(work.first)
        try backend.run(work.second)
      },
      reference: { numbers in
        let (hidden, gain) = (numbers["hidden"], numbers["gain"])
        let (order, weights) = (numbers["order"], numbers["weights"])
        let inverse = inverseRMS(hidden)
        numbers["inverseRMS"].values = inverse
        var input = numbers["input"]
        input.fill { row, column in
          let from = order.int(0, row)
          return hidden[from, column] * inverse[from] * gain[column]
        }
        numbers["input"] = input
        numbers.addEnergies(
          input, weights, blockRows: blockRows, step: step, squares: squares)
      })
  }
}
