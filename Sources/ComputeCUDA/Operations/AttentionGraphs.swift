import Compute

/// The numbers of the tensors that a plan of attention is run with.
struct AttentionTensors {
  var query: Int64
  var key: Int64
  var value: Int64
  var output: Int64
  var statistics: Int64
  var scale: Int64
  var fill: Int64
  /// The rest belongs to the backward pass.
  var outputGradient: Int64 = 0
  var queryGradient: Int64 = 0
  var keyGradient: Int64 = 0
  var valueGradient: Int64 = 0
  var one: Int64 = 0
  var outputDot: Int64 = 0
  /// 0 in the reproducible form.
  var querySums: Int64 = 0
}

extension AttentionGraph {
  /// `softmax(mask(scale · Q Kᵀ)) V` and the log-sum-exp of every row, as fourteen operations that
  /// the library knows to fuse.
  func forward(_ operation: Attention.Forward) throws(ComputeError) -> AttentionTensors {
    let g = operation.geometry
    let layouts = AttentionLayouts(g)
    let q = try tensor(.bfloat16, layouts.rows(operation.query), .memory)
    let kt = try tensor(.bfloat16, layouts.rows(operation.key).transposed, .memory)
    let v = try tensor(.bfloat16, layouts.rows(operation.value), .memory)
    let o = try tensor(.bfloat16, layouts.rows(operation.output), .memory)
    let statistics = try tensor(.float32, layouts.perRow, .memory)
    let scale = try number()
    let fill = try number()
    func scores() throws(ComputeError) -> Tensor {
      try tensor(.float32, layouts.scores, .virtual)
    }
    func perRow() throws(ComputeError) -> Tensor {
      try tensor(.float32, layouts.perRow, .virtual)
    }
    let raw = try scores()
    let scaled = try scores()
    try product(q, kt, into: raw)
    try pointwise(.multiply, raw, scale, into: scaled)
    let masked = try masked(scaled, fill: fill, layouts)
    let highest = try perRow()
    let shifted = try scores()
    let exponentials = try scores()
    let sum = try perRow()
    let logarithm = try perRow()
    let weights = try tensor(.bfloat16, layouts.scores, .virtual)
    try reduce(.maximum, masked, into: highest)
    try pointwise(.subtract, masked, highest, into: shifted)
    try pointwise(.exponential, shifted, into: exponentials)
    try reduce(.add, exponentials, into: sum)
    try pointwise(.logarithm, sum, into: logarithm)
    try pointwise(.add, highest, logarithm, into: statistics)
    try pointwise(.divide, exponentials, sum, into: weights)
    try product(weights, v, into: o)
    return AttentionTensors(
      query: q.number, key: kt.number, value: v.number, output: o.number,
      statistics: statistics.number, scale: scale.number, fill: fill.number)
  }

  /// dQ, dK and dV. Reproducible: dS goes through work memory and dQ is a product of its own;
  /// otherwise dQ is summed in an order left to chance, in less memory.
  func backward(
    _ operation: Attention.Backward, reproducible: Bool
  ) throws(ComputeError) -> AttentionTensors {
    let forward = operation.forward
    let g = forward.geometry
    let layouts = AttentionLayouts(g)
    let isGrouped = g.heads != g.keyValueHeads
    let keyRows = layouts.rows(forward.key)
    let q = try tensor(.bfloat16, layouts.rows(forward.query), .memory)
    let kt = try tensor(.bfloat16, keyRows.transposed, .memory)
    let vt = try tensor(.bfloat16, layouts.rows(forward.value).transposed, .memory)
    let o = try tensor(.bfloat16, layouts.rows(forward.output), .memory)
    let dO = try tensor(.bfloat16, layouts.rows(operation.outputGradient), .memory)
    let dQ = try tensor(.bfloat16, layouts.rows(operation.queryGradient), .memory)
    let dK = try tensor(.bfloat16, layouts.rows(operation.keyGradient), .memory)
    let dV = try tensor(.bfloat16, layouts.rows(operation.valueGradient), .memory)
    let statistics = try tensor(.float32, layouts.perRow, .memory)
    let outputDot = try tensor(.float32, layouts.perRow, .memory)
    let scale = try number()
    let fill = try number()
    let one = try number()
    func scores() throws(ComputeError) -> Tensor {
      try tensor(.float32, layouts.scores, .virtual)
    }
    // The row sums of dO ∘ O. The multiplication by one keeps the library's fused pattern.
    let products = try tensor(.float32, layouts.perQuery, .virtual)
    let sums = try tensor(.float32, layouts.perRow, .virtual)
    try pointwise(.multiply, dO, o, into: products)
    try reduce(.add, products, into: sums)
    try pointwise(.multiply, sums, one, into: outputDot)
    // P again, from the statistics.
    let raw = try scores()
    let scaled = try scores()
    let shifted = try scores()
    let p = try scores()
    try product(q, kt, into: raw)
    try pointwise(.multiply, raw, scale, into: scaled)
    try pointwise(.subtract, scaled, statistics, into: shifted)
    try pointwise(.exponential, try masked(shifted, fill: fill, layouts), into: p)
    let pt = try tensor(.bfloat16, layouts.transposedScores, .virtual)
    try reshape(p, into: pt)
    // dV = Pᵀ dO, summed over the query heads of a group.
    let dVPerHead = isGrouped ? try tensor(.bfloat16, layouts.perQueryKey, .virtual) : dV
    try product(pt, dO, into: dVPerHead)
    if isGrouped { try reduce(.add, dVPerHead, into: dV) }
    // dS = scale · P ∘ (dO Vᵀ − δ)
    let dP = try scores()
    let centred = try scores()
    let weighted = try scores()
    let dS = try scores()
    try product(dO, vt, into: dP)
    try pointwise(.subtract, dP, outputDot, into: centred)
    try pointwise(.multiply, centred, p, into: weighted)
    try pointwise(.multiply, weighted, scale, into: dS)
    let dSt = try tensor(.bfloat16, layouts.transposedScores, .virtual)
    try reshape(dS, into: dSt)
    let dKPerHead = isGrouped ? try tensor(.bfloat16, layouts.perQueryKey, .virtual) : dK
    try product(dSt, q, into: dKPerHead)
    if isGrouped { try reduce(.add, dKPerHead, into: dK) }
    // dQ = dS K
    let k = try tensor(.bfloat16, keyRows, .virtual)
    try reshape(kt, into: k)
    var querySums: Int64 = 0
    if reproducible {
      try product(dS, k, into: dQ)
    } else {
      let summed = try tensor(.float32, layouts.perQuery, .memory)
      try product(dS, k, into: summed)
      try pointwise(.identity, summed, into: dQ)
      querySums = summed.number
    }
    return AttentionTensors(
      query: q.number, key: kt.number, value: vt.number, output: o.number,
      statistics: statistics.number, scale: scale.number, fill: fill.number,
      outputGradient: dO.number, queryGradient: dQ.number, keyGradient: dK.number,
      valueGradient: dV.number, one: one.number, outputDot: outputDot.number,
      querySums: querySums)
  }

  /// Scores of keys after the query become `fill`.
  private func masked(
    _ scores: Tensor, fill: Tensor, _ layouts: AttentionLayouts
  ) throws(ComputeError) -> Tensor {
    let row = try tensor(.int32, layouts.scores, .virtual)
    let column = try tensor(.int32, layouts.scores, .virtual)
    let isSeen = try tensor(.boolean, layouts.scores, .virtual)
    let result = try tensor(.float32, layouts.scores, .virtual)
    try pointwise(.index, scores, axis: 2, into: row)
    try pointwise(.index, scores, axis: 3, into: column)
    try pointwise(.isAtLeast, row, column, into: isSeen)
    try pointwise(.select, scores, fill, where: isSeen, into: result)
    return result
  }
}

/// The layouts of what one geometry needs.
struct AttentionLayouts {
  private let g: Attention.Geometry

  init(_ geometry: Attention.Geometry) { g = geometry }

  func rows(_ view: TensorView) -> AttentionGraph.Layout {
    .rows(view, sequences: g.sequences, length: g.queryLength, width: g.headWidth)
  }

  var scores: AttentionGraph.Layout {
    .packed([g.sequences, g.heads, g.queryLength, g.keyLength])
  }

  var transposedScores: AttentionGraph.Layout {
    AttentionGraph.Layout.packed([g.sequences, g.heads, g.queryLength, g.keyLength]).transposed
  }

  var perRow: AttentionGraph.Layout { .packed([g.sequences, g.heads, g.queryLength, 1]) }

  var perQuery: AttentionGraph.Layout {
    .packed([g.sequences, g.heads, g.queryLength, g.headWidth])
  }

  var perQueryKey: AttentionGraph.Layout {
    .packed([g.sequences, g.heads, g.keyLength, g.headWidth])
  }
}
