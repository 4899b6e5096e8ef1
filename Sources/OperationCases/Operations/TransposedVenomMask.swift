import Compute

extension CaseList {
  static var transposedVenomMask: [OperationCase] {
    var cases: [OperationCase] = []
    for (tokens, group) in [(1, 4), (3, 4), (4, 4), (7, 5), (16, 16), (37, 16)] {
      for (neurons, block) in [(1, 1), (5, 2), (8, 8), (9, 64), (33, 16)] {
        for keep in 1...4 {
          cases.append(
            transposedVenomMask(
              tokens: tokens, neurons: neurons, blockNeurons: block, keep: keep,
              groupTokens: group, ordered: keep % 2 == 0, withCompanion: keep != 3,
              sliced: keep == 4))
        }
      }
    }
    return cases
  }

  static func transposedVenomMask(
    tokens: Int, neurons: Int, blockNeurons: Int, keep: Int, groupTokens: Int,
    ordered: Bool = true, withCompanion: Bool = true, sliced: Bool = false
  ) -> OperationCase {
    let count = tokens * neurons
    return OperationCase(
      "TransposedVenomMask",
      "\(tokens) x \(neurons), V \(blockNeurons), \(keep):\(groupTokens)"
        + "\(ordered ? ", ordered" : "")\(withCompanion ? "" : ", alone")"
        + "\(sliced ? ", sliced" : "")",
      [
        .update(
          "activation", tokens, neurons, .ties(count, seed: 1, nonNegative: true),
          sliced: sliced),
        withCompanion
          ? .update("companion", tokens, neurons, .normal(count, seed: 2), sliced: sliced)
          : .input("companion", tokens, neurons, .normal(count, seed: 2)),
        .input("order", 1, tokens, .permutation(tokens, seed: 3)),
      ], tolerance: .exact,
      make: {
        TransposedVenomMask(
          activation: $0["activation"], companion: withCompanion ? $0["companion"] : nil,
          order: ordered ? $0["order"] : nil, blockNeurons: blockNeurons, keep: keep,
          groupTokens: groupTokens)
      }, run: { try $0.run($1) },
      reference: { numbers in
        let a = numbers["activation"]
        let order = numbers["order"]
        var keeps = Array(repeating: false, count: count)
        for firstToken in stride(from: 0, to: tokens, by: groupTokens) {
          let group = (firstToken..<min(firstToken + groupTokens, tokens)).map {
            ordered ? order.int(0, $0) : $0
          }
          for firstNeuron in stride(from: 0, to: neurons, by: blockNeurons) {
            let block = firstNeuron..<min(firstNeuron + blockNeurons, neurons)
            let sums = group.map { token in block.reduce(0.0) { $0 + a[token, $1] } }
            let four = ranking(sums).prefix(4).sorted().map { group[$0] }
            for neuron in block {
              for index in ranking(four.map { a[$0, neuron] }).prefix(keep) {
                keeps[four[index] * neurons + neuron] = true
              }
            }
          }
        }
        for name in withCompanion ? ["activation", "companion"] : ["activation"] {
          let before = numbers[name]
          numbers[name].fill { keeps[$0 * neurons + $1] ? before[$0, $1] : 0 }
        }
      })
  }
}
