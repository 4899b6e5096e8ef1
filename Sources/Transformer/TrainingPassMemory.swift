public import Compute

/// What a pass takes, known before anything is allocated.
extension TrainingPass {
  /// Bytes that a pass allocates outside the feed-forward networks and the gradients, for
  /// `krait plan`.
  public static func activationBytes(
    _ model: ModelConfiguration, sequences: Int, sequenceLength: Int,
    storage: ElementType = .float32, recomputation: Recomputation = .none
  ) -> Int {
    TrainingActivations.bytes(
      model, tokens: sequences * sequenceLength, storage: storage, recomputation: recomputation)
      + RotaryTable.bytes(positions: sequenceLength, headWidth: model.headWidth)
  }

  /// Bytes of work memory that attention and its gradient take on a backend, for `krait plan`;
  /// nothing is allocated.
  public static func workBytes(
    _ model: ModelConfiguration, sequences: Int, sequenceLength: Int, on backend: any MemoryMeter
  ) throws(ComputeError) -> Int {
    let layout = PackedAttentionLayout(model)
    let tokens = sequences * sequenceLength
    // Only shapes and strides matter: any aligned address will do.
    func view(_ columns: Int, _ type: ElementType) -> TensorView {
      TensorView(address: 4096, rows: tokens, columns: columns, elementType: type)
    }
    let packed = view(layout.width, backend.storage)
    let heads = view(layout.queryWidth, backend.storage)
    let forward = Attention.Forward(
      geometry: Attention.Geometry(
        sequences: sequences, queryLength: sequenceLength, heads: model.heads,
        keyValueHeads: model.keyValueHeads, headWidth: model.headWidth),
      query: layout.query(packed), key: layout.key(packed), value: layout.value(packed),
      output: heads,
      logSumExp: view(model.heads, .float32).reshaped(
        rows: sequences * model.heads, columns: sequenceLength))
    return try backend.workBytes(
      Attention.Backward(
        of: forward, outputGradient: heads, queryGradient: layout.query(packed),
        keyGradient: layout.key(packed), valueGradient: layout.value(packed)))
  }
}
