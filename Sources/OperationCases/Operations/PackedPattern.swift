import Compute

/// The sizes of a case with a packed pattern.
struct PatternShape: Sendable, CustomStringConvertible {
  var tokens: Int
  var blockTokens: Int
  var neurons: Int
  var kept: Int
  var width: Int
  var ordered = true
  var sliced = false

  var blocks: Int { (tokens + blockTokens - 1) / blockTokens }

  var description: String {
    "T \(tokens), V \(blockTokens), f \(neurons), K \(kept), d \(width)"
      + "\(ordered ? ", ordered" : "")\(sliced ? ", sliced" : "")"
  }

  /// The pattern's tensors.
  var tensors: [CaseTensor] {
    [
      .input("order", 1, tokens, .permutation(tokens, seed: 90)),
      .input(
        "columns", blocks, kept,
        .columnLists(blocks: blocks, neurons: neurons, kept: kept, seed: 91)),
    ]
  }

  /// The pattern on a backend.
  func pattern(_ views: CaseViews) -> PackedPattern {
    PackedPattern(
      order: ordered ? views["order"] : nil, columns: views["columns"], blockTokens: blockTokens)
  }

  /// Calls `body(position, token, packed column, neuron)` for every kept entry.
  func forEachKept(_ numbers: CaseNumbers, _ body: (Int, Int, Int, Int) -> Void) {
    let order = numbers["order"]
    let columns = numbers["columns"]
    for position in 0..<tokens {
      let token = ordered ? order.int(0, position) : position
      for j in 0..<kept { body(position, token, j, columns.int(position / blockTokens, j)) }
    }
  }

  /// Small ones: one of everything, short last blocks, everything kept, odd sizes, blocks longer
  /// than the batch, sizes around a register tile.
  static var small: [PatternShape] {
    let sizes = [
      (1, 1, 1, 1, 1), (5, 2, 7, 3, 5), (8, 4, 9, 9, 3), (9, 128, 16, 8, 4), (33, 16, 40, 8, 17),
      (30, 15, 70, 33, 33), (29, 14, 40, 32, 16), (70, 64, 130, 65, 9), (16, 8, 300, 257, 2),
      (6, 3, 5, 1, 129),
    ]
    return sizes.flatMap { tokens, block, neurons, kept, width in
      [(false, false), (true, false), (true, true)].map { ordered, sliced in
        PatternShape(
          tokens: tokens, blockTokens: block, neurons: neurons, kept: kept, width: width,
          ordered: ordered, sliced: sliced)
      }
    }
  }

  /// Whether the numbers are few enough to differentiate by each.
  var isTiny: Bool { tokens * max(width, kept) + neurons * width < 600 }
}
