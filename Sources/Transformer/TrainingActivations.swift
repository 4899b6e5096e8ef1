import Compute

/// What a training pass keeps of one layer between forward and backward.
struct LayerActivations {
  /// The residual stream before attention and before the feed-forward network, [T, d] each.
  let attentionInput: TensorView
  let feedForwardInput: TensorView
  /// What the two sub-layers see: the normalised streams, [T, d] each.
  let attentionNormalized: TensorView
  let feedForwardNormalized: TensorView
  /// One over the root mean square of every row, [1, T] each.
  let attentionInverseRMS: TensorView
  let feedForwardInverseRMS: TensorView
  /// Queries, keys and values after the rotary embedding, [T, packed width].
  let queryKeyValue: TensorView
  /// Heads' outputs before the output projection, [T, heads · headWidth].
  let attention: TensorView
  /// A number for every head of every token, [T, heads]; attention has a row for each head of a
  /// sequence.
  let logSumExp: TensorView

  /// Another layer in the same memory, but for its input.
  func following(input: TensorView) -> LayerActivations {
    LayerActivations(
      attentionInput: input, feedForwardInput: feedForwardInput,
      attentionNormalized: attentionNormalized, feedForwardNormalized: feedForwardNormalized,
      attentionInverseRMS: attentionInverseRMS, feedForwardInverseRMS: feedForwardInverseRMS,
      queryKeyValue: queryKeyValue, attention: attention, logSumExp: logSumExp)
  }
}

/// All memory of a training pass except the feed-forward network's own.
final class TrainingActivations {
  let layers: [LayerActivations]
  /// int32 [1, T] each.
  let tokens: TensorView
  let targets: TensorView
  /// [1, T].
  let losses: TensorView
  /// The stream after the last block, normalised, and its inverse RMS.
  let finalInput: TensorView
  let finalNormalized: TensorView
  let finalInverseRMS: TensorView
  /// Logits of a chunk of tokens, [chunk, vocabulary].
  let logits: TensorView
  /// Gradients: of the residual stream, of a normalised stream, of packed q k v, of heads' outputs.
  let streamGradient: TensorView
  let normalizedGradient: TensorView
  let queryKeyValueGradient: TensorView
  let attentionGradient: TensorView
  private let arena: Arena

  /// Logits are computed for about this many elements at a time: 16 Mi of float32 are 64 MiB. On a
  /// GPU, which wants large products, 512 Mi of bfloat16 are 1 GiB; training takes up to 4 GiB, for
  /// where all tokens fit the gradient of the output weights is one product, else it is read and
  /// written in float32 for every chunk.
  static func logitElements(_ storage: ElementType, training: Bool) -> Int {
    storage == .float32 ? 1 << 24 : training ? 1 << 31 : 1 << 29
  }

  /// Tokens whose logits are computed together; on a GPU chunks of one size, in whole tiles.
  static func chunkTokens(
    tokens: Int, vocabulary: Int, storage: ElementType, training: Bool = true
  ) -> Int {
    let most = max(1, min(tokens, logitElements(storage, training: training) / vocabulary))
    guard storage != .float32, most < tokens else { return most }
    let chunks = (tokens + most - 1) / most
    let even = (tokens + chunks - 1) / chunks
    return min(tokens, (even + 127) / 128 * 128)
  }

  /// What of a layer need not stay until its backward pass when the layer is computed again.
  private static func passingBytes(
    _ model: ModelConfiguration, tokens t: Int, storage: ElementType
  ) -> Int {
    let layout = PackedAttentionLayout(model)
    return 3 * Arena.bytes(rows: t, columns: model.width, storage)
      + 2 * Arena.bytes(rows: 1, columns: t)
      + Arena.bytes(rows: t, columns: layout.width, storage)
      + Arena.bytes(rows: t, columns: layout.queryWidth, storage)
      + Arena.bytes(rows: t, columns: model.heads)
  }

  /// Bytes a training pass needs, without the feed-forward network's saved activations.
  static func bytes(
    _ model: ModelConfiguration, tokens t: Int, storage: ElementType,
    recomputation: Recomputation = .none
  ) -> Int {
    let layout = PackedAttentionLayout(model)
    let stream = Arena.bytes(rows: t, columns: model.width, storage)
    let row = Arena.bytes(rows: 1, columns: t)
    let packed = Arena.bytes(rows: t, columns: layout.width, storage)
    let heads = Arena.bytes(rows: t, columns: layout.queryWidth, storage)
    let passing = passingBytes(model, tokens: t, storage: storage)
    let held = recomputation == .none ? model.layers : 1
    let chunk = chunkTokens(tokens: t, vocabulary: model.vocabulary, storage: storage)
    return model.layers * stream + held * passing + 4 * row + 4 * stream + packed + heads
      + Arena.bytes(rows: chunk, columns: model.vocabulary, storage)
  }

  init(
    _ model: ModelConfiguration, tokens t: Int, recomputation: Recomputation,
    on backend: any Backend
  ) throws(ComputeError) {
    let layout = PackedAttentionLayout(model)
    let arena = try Arena(
      byteCount: TrainingActivations.bytes(
        model, tokens: t, storage: backend.storage, recomputation: recomputation), on: backend,
      purpose: "activations of \(t) tokens")
    let storage = backend.storage
    func stream() -> TensorView { arena.take(rows: t, columns: model.width, storage) }
    func row(_ type: ElementType = .float32) -> TensorView {
      arena.take(rows: 1, columns: t, type)
    }
    func layer(input: TensorView) -> LayerActivations {
      LayerActivations(
        attentionInput: input, feedForwardInput: stream(), attentionNormalized: stream(),
        feedForwardNormalized: stream(), attentionInverseRMS: row(),
        feedForwardInverseRMS: row(),
        queryKeyValue: arena.take(rows: t, columns: layout.width, storage),
        attention: arena.take(rows: t, columns: layout.queryWidth, storage),
        logSumExp: arena.take(rows: t, columns: model.heads))
    }
    let first = layer(input: stream())
    layers = (0..<model.layers).map { index in
      if index == 0 { return first }
      return recomputation == .none ? layer(input: stream()) : first.following(input: stream())
    }
    tokens = row(.int32)
    targets = row(.int32)
    losses = row()
    finalInverseRMS = row()
    finalInput = stream()
    finalNormalized = stream()
    logits = arena.take(
      rows: TrainingActivations.chunkTokens(
        tokens: t, vocabulary: model.vocabulary, storage: storage),
      columns: model.vocabulary, storage)
    streamGradient = stream()
    normalizedGradient = stream()
    queryKeyValueGradient = arena.take(rows: t, columns: layout.width, storage)
    attentionGradient = arena.take(rows: t, columns: layout.queryWidth, storage)
    self.arena = arena
  }
}
