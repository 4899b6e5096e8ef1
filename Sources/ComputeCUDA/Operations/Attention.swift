public import Compute

extension CUDABackend {
  /// cuDNN's fused kernel where it suits; else the plain one, for every head width up to 256 that
  /// fits the GPU's shared memory.
  public func run(_ operation: Attention.Forward) throws(ComputeError) {
    operation.checkShapes()
    let geometry = operation.geometry
    if let fused, let statistics = try fused.forward(operation) {
      if statistics != operation.logSumExp.address {
        try copy(
          from: statisticsView(statistics, like: operation.logSumExp), to: operation.logSumExp)
      }
      return
    }
    var arguments = KernelArguments()
    for view in [operation.query, operation.key, operation.value, operation.output] {
      arguments.addWithStride(view)
    }
    arguments.addWithStride(operation.logSumExp)
    arguments.add(words: heads(geometry))
    try launchAttention(
      "forward", operation.query, geometry, rows: geometry.queryLength, heads: geometry.heads,
      tiles: 3, scores: 1, arguments)
  }

  /// cuDNN where it suits; else dQ by query tiles, dK and dV by key tiles: each block owns what it
  /// writes.
  public func run(_ operation: Attention.Backward) throws(ComputeError) {
    operation.checkShapes()
    let forward = operation.forward
    let geometry = forward.geometry
    let rows = forward.output.rows
    if let fused,
      try fused.backward(
        operation,
        fillStatistics: { address throws(ComputeError) in
          try self.copy(
            from: forward.logSumExp, to: statisticsView(address, like: forward.logSumExp))
        })
    {
      return
    }
    let delta = TensorView(
      address: try memory.scratch(bytes: rows * geometry.heads * 4), rows: rows,
      columns: geometry.heads)
    var dots = KernelArguments()
    dots.addWithStride(forward.output)
    dots.addWithStride(operation.outputGradient)
    dots.add(delta)
    dots.add(rows)
    dots.add(geometry.heads)
    try launch(
      "Attention.cu", "output_dot", forward.output.elementType, constants: constants(geometry),
      grid: .strided(rows * geometry.heads * 32, blocks: 8192), dots)
    var shared = KernelArguments()
    for view in [forward.query, forward.key, forward.value, operation.outputGradient] {
      shared.addWithStride(view)
    }
    shared.addWithStride(forward.logSumExp)
    shared.add(delta)
    var query = shared
    query.addWithStride(operation.queryGradient)
    query.add(words: heads(geometry))
    try launchAttention(
      "query_gradient", forward.query, geometry, rows: geometry.queryLength,
      heads: geometry.heads, tiles: 4, scores: 1, query)
    var key = shared
    key.addWithStride(operation.keyGradient)
    key.addWithStride(operation.valueGradient)
    key.add(words: heads(geometry))
    try launchAttention(
      "key_gradient", forward.query, geometry, rows: geometry.keyLength,
      heads: geometry.keyValueHeads, tiles: 4, scores: 2, key)
  }

  /// Dense rows at an address.
  private func statisticsView(_ address: UInt64, like view: TensorView) -> TensorView {
    TensorView(address: address, rows: view.rows, columns: view.columns)
  }

  private func constants(_ geometry: Attention.Geometry) -> [String] {
    ["KRAIT_HEAD_WIDTH=\(geometry.headWidth)"]
  }

  /// The kernels' `Heads`.
  private func heads(_ geometry: Attention.Geometry) -> [UInt64] {
    [
      UInt64(geometry.queryLength), UInt64(geometry.keyLength),
      UInt64(geometry.heads) | UInt64(geometry.keyValueHeads) << 32,
      UInt64(geometry.scale.bitPattern),
    ]
  }

  private func launchAttention(
    _ name: String, _ query: TensorView, _ geometry: Attention.Geometry, rows: Int, heads: Int,
    tiles: Int, scores: Int, _ arguments: KernelArguments
  ) throws(ComputeError) {
    let bytes = 4 * (tiles * 32 * (geometry.headWidth + 1) + scores * 32 * 33)
    guard geometry.headWidth <= 256, bytes <= device.sharedBytesPerBlock else {
      throw ComputeError(
        .unsupported, call: "Attention",
        context: "heads of \(geometry.headWidth) need \(bytes) bytes of shared memory, "
          + "\(device.name) has \(device.sharedBytesPerBlock); lower model.headWidth")
    }
    try launch(
      "Attention.cu", name, query.elementType, constants: constants(geometry),
      grid: Grid(x: (rows + 31) / 32, y: heads, z: geometry.sequences), sharedBytes: bytes,
      arguments)
  }
}
