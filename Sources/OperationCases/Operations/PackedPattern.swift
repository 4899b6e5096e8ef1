import Compute

/// The sizes of a case with a packed pattern.
struct PatternShape: Sendable, CustomStringConvertible {
  var tokens: Int
  var blockTokens: Int
  var neurons: Int
  var kept: Int
  var width: Int
  var ordered = true
  var slicing = CaseSlicing.none
  /// Whether a block's list is mostly the one before, slot by slot.
  var isSteady = false

  var blocks: Int { (tokens + blockTokens - 1) / blockTokens }

  var description: String {
    "T \(tokens), V \(blockTokens), f \(neurons), K \(kept), d \(width)"
      + "\(ordered ? ", ordered" : "")\(slicing == .none ? "" : ", sliced \(slicing)")"
      + "\(isSteady ? ", steady" : "")"
  }

  /// The pattern's tensors.
  var tensors: [CaseTensor] {
    [
      .input("order", 1, tokens, .permutation(tokens, seed: 90)),
      .input(
        "columns", blocks, kept,
        isSteady
          ? .steadyLists(blocks: blocks, neurons: neurons, kept: kept, seed: 91)
          : .columnLists(blocks: blocks, neurons: neurons, kept: kept, seed: 91)),
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

  /// Σ packed[p, j] · rows[token, :] · weights[neuron, :] over all that is kept: the sum whose
  /// gradients products 4, 5 and 6 are.
  func keptSum(_ numbers: CaseNumbers, rows name: String, width: Int) -> Double {
    let packed = numbers["packed"]
    let weights = numbers["weights"]
    let rows = numbers[name]
    var sum = 0.0
    forEachKept(numbers) { position, token, j, neuron in
      for column in 0..<width {
        sum += packed[position, j] * rows[token, column] * weights[neuron, column]
      }
    }
    return sum
  }

  /// Small ones: one of everything, short last blocks, everything kept, odd sizes, blocks longer
  /// than the batch, sizes around a register tile, lists that change little from block to block.
  static var small: [PatternShape] {
    let sizes = [
      (1, 1, 1, 1, 1), (5, 2, 7, 3, 5), (8, 4, 9, 9, 3), (9, 128, 16, 8, 4), (33, 16, 40, 8, 17),
      (30, 15, 70, 33, 33), (29, 14, 40, 32, 16), (70, 64, 130, 65, 9), (16, 8, 300, 257, 2),
      (6, 3, 5, 1, 129),
    ]
    return sizes.flatMap { tokens, block, neurons, kept, width in
      [(false, .none), (true, .none), (true, .odd)].map {
        (ordered: Bool, slicing: CaseSlicing) in
        PatternShape(
          tokens: tokens, blockTokens: block, neurons: neurons, kept: kept, width: width,
          ordered: ordered, slicing: slicing)
      }
    } + [
      PatternShape(
        tokens: 70, blockTokens: 8, neurons: 64, kept: 16, width: 9, isSteady: true)
    ]
  }

  /// Sizes that suit kernels made of tiles: 128 tokens by 64 kept neurons by 64 columns.
  ///
  /// One tile, and a short last block; one and two tiles of 256 columns, which thread blocks may
  /// share tokens for, and three, which they cannot; the same of 192; one of 128; more steps than a pipeline has
  /// stages; token blocks of one, two and three tiles; more tiles than a GPU has multiprocessors.
  static var tiles: [PatternShape] {
    func shape(
      _ t: Int, _ v: Int, _ f: Int, _ k: Int, _ d: Int, _ ordered: Bool,
      _ slicing: CaseSlicing = .none
    ) -> PatternShape {
      PatternShape(
        tokens: t, blockTokens: v, neurons: f, kept: k, width: d, ordered: ordered,
        slicing: slicing)
    }
    return [false, true].flatMap { ordered in
      [
        shape(128, 128, 64, 64, 64, ordered), shape(300, 128, 192, 64, 128, ordered, .aligned),
        shape(400, 256, 640, 320, 320, ordered, .aligned),
      ]
    } + [
      shape(260, 128, 1000, 576, 192, false), shape(500, 384, 1024, 128, 576, true),
      shape(17_100, 128, 96, 64, 64, true), shape(300, 128, 900, 384, 128, false),
      shape(300, 128, 900, 384, 64, true), shape(260, 128, 700, 512, 64, false),
      shape(260, 128, 512, 256, 128, true), shape(200, 128, 500, 448, 64, true),
      shape(300, 128, 260, 128, 448, false),
    ]
  }

  /// Sizes for weight gradients whose sums are carried from block to block: chains of 16 blocks and
  /// of fewer, an odd and an even number of tiles of neurons, short last tiles of columns, blocks of
  /// 256 tokens, a short last block.
  static var chains: [PatternShape] {
    let sizes = [
      (2100, 128, 512, 128, 64), (2300, 128, 1024, 256, 320), (4200, 256, 600, 192, 128),
      (1000, 128, 4096, 512, 64),
    ]
    return sizes.enumerated().map { index, size in
      let (tokens, block, neurons, kept, width) = size
      return PatternShape(
        tokens: tokens, blockTokens: block, neurons: neurons, kept: kept, width: width,
        ordered: index % 2 == 1, isSteady: true)
    }
  }

  /// Whether the numbers are few enough to differentiate by each.
  var isTiny: Bool { tokens * max(width, kept) + neurons * width < 600 }
}
