import Compute

/// What a pattern keeps and how much of it changes, measured where a step asks for it.
extension SparseFeedForward {
  /// By all tokens, of a product that is there anyway.
  func measure(
    _ dense: TensorView, layer: Int, packed: TensorView
  ) throws(ComputeError) {
    var share = Double(packed.columns) / Double(shape.hiddenWidth)
    if case .venom(let n, _) = recipe.selection { share *= Double(n) / 4 }
    statistics?.layers[layer] = try probe.measure(
      all: dense, kept: packed, columns: saved[layer].columns, density: share)
  }

  /// By tokens that had no say in a choice from samples: those that had would flatter it.
  func measureSamples(
    _ samples: Int, layer: Int, up: TensorView, input: TensorView
  ) throws(ComputeError) {
    try backend.run(
      MatrixMultiply(
        try sample(samples, of: input, halfway: true), up, transposeRight: true,
        into: scratch.sampledActivation, epilogue: .squaredReLU))
    let pattern = pattern(layer)
    let kept = scratch.packedGradient(columns: pattern.keptColumns)
      .rows(0..<scratch.sampledActivation.rows)
    try backend.run(
      PackColumns(
        values: scratch.sampledActivation,
        pattern: PackedPattern(
          order: nil, columns: pattern.columns, blockTokens: samples,
          isAscending: pattern.isAscending),
        packed: kept))
    statistics?.layers[layer] = try probe.measure(
      all: scratch.sampledActivation, kept: kept, columns: pattern.columns,
      density: Double(pattern.keptColumns) / Double(shape.hiddenWidth))
  }
}
