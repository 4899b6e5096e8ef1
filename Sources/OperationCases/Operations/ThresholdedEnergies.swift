import Compute

extension CaseList {
  /// A 2:4 soft threshold that copies weights in 8 bits, and block sums that are made from the copy: how
  /// selection by 8 bits runs with 2:4 weights. `isSliced`: weights lie where no kernel reads eight at once.
  static func thresholdedEnergies(
    tokens: Int, width: Int, neurons: Int, blockRows: Int, squares: Bool = false,
    isSliced: Bool = false
  ) -> OperationCase {
    let blocks = (tokens + blockRows - 1) / blockRows
    let words = BlockEnergies.eightBitWords(neurons: neurons, width: width)
    return OperationCase(
      "BlockEnergies",
      "\(tokens) x \(width) by \(neurons), blocks of \(blockRows), 8 bits by a threshold"
        + "\(squares ? ", squares" : "")\(isSliced ? ", sliced" : "")",
      [
        .input("input", tokens, width, .normal(tokens * width, seed: 1)),
        .input(
          "weights", neurons, width,
          .normal(neurons * width, seed: 2, deviation: 1 / Double(width).squareRoot()),
          sliced: isSliced),
        .output("thresholded", neurons, width),
        .work("copy", 1, (words + 1) / 2),
        .output("sums", blocks, neurons, alwaysFloat32: true),
      ],
      // Half of the weights, whose roundings cancel less.
      tolerance: .eightBitEnergies(squares: squares, magnitude: 1.5),
      make: {
        let copy = TensorView(
          address: $0["copy"].address, rows: 1, columns: words, elementType: .uint16)
        return InTurn(
          first: SoftThreshold(
            weights: $0["weights"], output: $0["thresholded"], scale: 1.5, eightBitOutput: copy),
          second: BlockEnergies(
            input: $0["input"], weights: $0["thresholded"], blockRows: blockRows,
            squares: squares, isTwoOfFour: true, allowsEightBits: true, eightBitWeights: copy,
            sums: $0["sums"]))
      },
      run: { backend, work in
        try backend.run(work.first)
        try backend.run(work.second)
      },
      reference: { numbers in
        let shrunk = thresholded(numbers["weights"])
        numbers["thresholded"].fill { 1.5 * shrunk[$0, $1] }
        numbers.addEnergies(
          numbers["input"], numbers["thresholded"], blockRows: blockRows, squares: squares)
      })
  }
}
