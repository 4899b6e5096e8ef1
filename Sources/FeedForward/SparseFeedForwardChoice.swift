import Compute

/// Which neurons a block of tokens keeps.
extension SparseFeedForward {
  /// Lists of the columns mode, from a few tokens of each block or from all.
  func chooseColumns(
    _ layer: Int, up: TensorView, input: TensorView, eightBitInput: TensorView?,
    pattern: PackedPattern, isFirst: Bool
  ) throws(ComputeError) {
    var (rows, blockRows, neighbourWeight) = (input, recipe.blockTokens, Float(0))
    var remembered: SelectColumns.Remembered?
    if case .sampled(let samples) = recipe.selection {
      rows = try sample(samples, of: input, halfway: false)
      (blockRows, neighbourWeight) = (samples, recipe.neighbourWeight)
      if let sums = memory?.sums[layer], let marks = orders.marks(layer) {
        remembered = SelectColumns.Remembered(sums: sums, marks: marks)
      }
    }
    try sumEnergies(layer, of: rows, eightBitRows: eightBitInput, blockRows: blockRows, up: up)
    try choose(
      groupWidth: shape.hiddenWidth, neighbourWeight: neighbourWeight, remembered: remembered,
      pattern: pattern)
    if isFirst, let remembered {
      try memory?.note(layer: layer, sums: scratch.sums, marks: remembered.marks)
    }
  }

  /// Lists of the paper's recipe, from all of A: 4 of every `groupWidth` neurons.
  func select(
    from dense: TensorView, groupWidth: Int, pattern: PackedPattern
  ) throws(ComputeError) {
    try backend.run(
      BlockSums(values: dense, blockRows: recipe.blockTokens, sums: scratch.sums))
    try choose(groupWidth: groupWidth, pattern: pattern)
  }

  /// Block sums of product 1 for all rows of a matrix, which there may be in 8 bits too.
  private func sumEnergies(
    _ layer: Int, of rows: TensorView, eightBitRows: TensorView?, blockRows: Int, up: TensorView
  ) throws(ComputeError) {
    try backend.run(
      BlockEnergies(
        input: rows, weights: up, blockRows: blockRows, squares: recipe.choosesBySquares,
        isTwoOfFour: sparseWeights.which != .none, allowsEightBits: recipe.allowsEightBits,
        eightBitInput: eightBitRows, eightBitWeights: sparseWeights.eightBitUp(layer: layer),
        sums: scratch.sums))
  }

  /// Lists from the block sums.
  private func choose(
    groupWidth: Int, neighbourWeight: Float = 0, remembered: SelectColumns.Remembered? = nil,
    pattern: PackedPattern
  ) throws(ComputeError) {
    try backend.run(
      SelectColumns(
        sums: scratch.sums, groupWidth: groupWidth,
        keepPerGroup: pattern.keptColumns / (shape.hiddenWidth / groupWidth),
        neighbourWeight: neighbourWeight, remembered: remembered, columns: pattern.columns))
    try align(pattern)
  }

  private func align(_ pattern: PackedPattern) throws(ComputeError) {
    guard let chain = chain(of: pattern) else { return }
    try backend.run(AlignColumns(columns: pattern.columns, chain: chain))
  }

  /// A few rows of each block: a view of them where they lie evenly, else a copy. Halfway: others than
  /// those that a choice is made from.
  func sample(
    _ samples: Int, of input: TensorView, halfway: Bool
  ) throws(ComputeError) -> TensorView {
    if let view = SampleTokens.view(
      of: input, blockTokens: recipe.blockTokens, samples: samples, isHalfway: halfway)
    {
      return view
    }
    let rows = scratch.sampledInput
    try backend.run(
      SampleTokens(
        tokens: shape.tokens, blockTokens: recipe.blockTokens, samples: samples,
        isHalfway: halfway, output: scratch.sampledTokens))
    try backend.run(GatherRows(source: input, rows: scratch.sampledTokens, output: rows))
    return rows
  }
}
