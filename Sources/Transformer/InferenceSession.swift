public import Compute

/// Dense evaluation and generation: no gradients, keys and values kept, one chunk at a time.
///
/// Evaluation is always dense, whatever the phase of a run: a mask shared by a block would let a
/// token see later ones. The session holds `sequences` sequences of up to `capacity` positions;
/// every call to `advance` appends the same number of tokens to each.
public final class InferenceSession {
  /// Positions already taken in every sequence.
  public private(set) var position = 0
  /// Sequences that run side by side.
  public let sequences: Int
  /// Positions a sequence can hold.
  public let capacity: Int
  private let model: TransformerModel
  private let maximumChunk: Int
  private let layout: PackedAttentionLayout
  private let rotary: RotaryTable
  private let arena: Arena
  private let keys: [TensorView]
  private let values: [TensorView]
  private let tokens: TensorView
  private let targets: TensorView
  private let losses: TensorView
  private let stream: TensorView
  private let normalized: TensorView
  private let inverseRMS: TensorView
  private let packed: TensorView
  private let heads: TensorView
  private let logSumExp: TensorView
  private let activation: TensorView
  private let logits: TensorView

  /// Allocates caches and work memory for chunks of up to `maximumChunk` new positions.
  public init(
    _ model: TransformerModel, sequences: Int, capacity: Int, maximumChunk: Int
  ) throws(ComputeError) {
    precondition(
      sequences == 1 || maximumChunk == capacity,
      "several sequences advance as a whole: chunk \(maximumChunk), capacity \(capacity)")
    let shape = model.configuration
    self.model = model
    self.sequences = sequences
    self.capacity = capacity
    self.maximumChunk = maximumChunk
    layout = PackedAttentionLayout(shape)
    rotary = try RotaryTable(
      positions: capacity, headWidth: shape.headWidth, theta: shape.ropeTheta,
      on: model.backend)
    let t = sequences * maximumChunk
    let chunk = TrainingActivations.chunkTokens(
      tokens: t, vocabulary: shape.vocabulary, storage: model.backend.storage, training: false)
    let slice = min(t, InferenceSession.feedForwardRows)
    let storage = model.backend.storage
    let arena = try Arena(
      byteCount: InferenceSession.arenaBytes(
        shape, sequences: sequences, capacity: capacity, maximumChunk: maximumChunk,
        storage: storage),
      on: model.backend, purpose: "inference of \(t) tokens")
    func cache() -> [TensorView] {
      (0..<shape.layers).map { _ in
        arena.take(
          rows: sequences * capacity, columns: PackedAttentionLayout(shape).keyWidth,
          storage)
      }
    }
    keys = cache()
    values = cache()
    tokens = arena.take(rows: 1, columns: t, .int32)
    targets = arena.take(rows: 1, columns: t, .int32)
    losses = arena.take(rows: 1, columns: t)
    stream = arena.take(rows: t, columns: shape.width, storage)
    normalized = arena.take(rows: t, columns: shape.width, storage)
    inverseRMS = arena.take(rows: 1, columns: t)
    packed = arena.take(rows: t, columns: layout.width, storage)
    heads = arena.take(rows: t, columns: layout.queryWidth, storage)
    logSumExp = arena.take(rows: t, columns: shape.heads)
    activation = arena.take(rows: slice, columns: shape.hiddenWidth, storage)
    logits = arena.take(rows: chunk, columns: shape.vocabulary, storage)
    self.arena = arena
  }

  /// All that a session allocates, in bytes, for `krait plan`.
  public static func bytes(
    _ model: ModelConfiguration, sequences: Int, capacity: Int, maximumChunk: Int,
    storage: ElementType = .float32
  ) -> Int {
    arenaBytes(
      model, sequences: sequences, capacity: capacity, maximumChunk: maximumChunk,
      storage: storage)
      + RotaryTable.bytes(positions: capacity, headWidth: model.headWidth)
  }

  private static func arenaBytes(
    _ model: ModelConfiguration, sequences: Int, capacity: Int, maximumChunk: Int,
    storage: ElementType
  ) -> Int {
    let layout = PackedAttentionLayout(model)
    let t = sequences * maximumChunk
    let chunk = TrainingActivations.chunkTokens(
      tokens: t, vocabulary: model.vocabulary, storage: storage, training: false)
    let caches =
      2 * model.layers
      * Arena.bytes(rows: sequences * capacity, columns: layout.keyWidth, storage)
    let rows = 4 * Arena.bytes(rows: 1, columns: t) + Arena.bytes(rows: t, columns: model.heads)
    let work = [model.width, model.width, layout.width, layout.queryWidth]
    return caches + rows
      + work.reduce(0) { $0 + Arena.bytes(rows: t, columns: $1, storage) }
      + Arena.bytes(rows: min(t, feedForwardRows), columns: model.hiddenWidth, storage)
      + Arena.bytes(rows: chunk, columns: model.vocabulary, storage)
  }

  /// Rows of the dense feed-forward network computed together: keeps its [rows, f] small.
  private static let feedForwardRows = 1024

  /// Forgets all positions.
  public func reset() { position = 0 }

  /// The losses of whole sequences that start at position 0, in nats, [T].
  public func losses(
    tokens newTokens: [Int32], targets newTargets: [Int32]
  ) throws(ComputeError) -> [Float] {
    reset()
    let t = try advance(newTokens)
    position = 0
    try model.backend.write(newTargets, to: targets.columns(0..<t))
    try forEachChunk(of: t) { (range, rows) throws(ComputeError) in
      try self.model.backend.run(
        CrossEntropy(
          logits: rows, targets: self.targets.columns(range),
          losses: self.losses.columns(range), gradientScale: nil))
    }
    return try model.backend.read(losses.columns(0..<t))
  }

  /// Appends tokens and returns the logits of every new position, [T, vocabulary].
  public func allLogits(_ newTokens: [Int32]) throws(ComputeError) -> [Float] {
    let t = try advance(newTokens)
    var result: [Float] = []
    result.reserveCapacity(t * model.configuration.vocabulary)
    try forEachChunk(of: t) { (_, rows) throws(ComputeError) in
      result += try self.model.backend.floats(of: rows)
    }
    return result
  }

  /// Appends tokens (one sequence) and returns the logits of the last position, [vocabulary].
  public func nextLogits(_ newTokens: [Int32]) throws(ComputeError) -> [Float] {
    let t = try advance(newTokens)
    let row = logits.rows(0..<1)
    try project(normalized.rows(t - 1..<t), into: row)
    return try model.backend.floats(of: row)
  }

  // MARK: Private

  /// Runs all blocks and the final norm; `normalized` then holds the new positions.
  private func advance(_ newTokens: [Int32]) throws(ComputeError) -> Int {
    let t = newTokens.count
    let length = t / sequences
    precondition(t > 0 && t % sequences == 0, "\(t) tokens for \(sequences) sequences")
    precondition(length <= maximumChunk, "a chunk of \(length), \(maximumChunk) at most")
    precondition(position + length <= capacity, "position \(position + length) of \(capacity)")
    let backend = model.backend
    try backend.write(newTokens, to: tokens.columns(0..<t))
    try backend.run(
      Embedding.Forward(
        tokens: tokens.columns(0..<t), table: model.weight(.embedding),
        output: stream.rows(0..<t)))
    for layer in 0..<model.configuration.layers {
      try attention(layer, tokens: t, length: length)
      try feedForward(layer, tokens: t)
    }
    try norm(.finalNorm, tokens: t)
    position += length
    return t
  }

  private func norm(_ role: ParameterRole, tokens t: Int) throws(ComputeError) {
    try model.backend.run(
      RMSNorm.Forward(
        input: stream.rows(0..<t), weight: model.weight(role),
        output: normalized.rows(0..<t), inverseRMS: inverseRMS.columns(0..<t),
        epsilon: Float(model.configuration.normEpsilon)))
  }

  private func attention(_ layer: Int, tokens t: Int, length: Int) throws(ComputeError) {
    let backend = model.backend
    let shape = model.configuration
    try norm(.attentionNorm(layer: layer), tokens: t)
    let rows = packed.rows(0..<t)
    try backend.run(
      RotaryProduct(
        MatrixMultiply(
          normalized.rows(0..<t), model.weight(.queryKeyValue(layer: layer)),
          transposeRight: true, into: rows),
        turn: RotaryEmbedding(
          values: layout.queryAndKey(rows), table: rotary.view, headWidth: shape.headWidth,
          sequenceLength: length, firstPosition: position)))
    // Whole sequences fill the cache densely; a single sequence appends to it.
    let cached = sequences == 1 ? position..<position + length : 0..<t
    let seen = sequences == 1 ? 0..<position + length : 0..<t
    try backend.copy(from: layout.key(rows), to: keys[layer].rows(cached))
    try backend.copy(from: layout.value(rows), to: values[layer].rows(cached))
    try backend.run(
      Attention.Forward(
        geometry: Attention.Geometry(
          sequences: sequences, queryLength: length, keyLength: position + length,
          heads: shape.heads, keyValueHeads: shape.keyValueHeads, headWidth: shape.headWidth),
        query: layout.query(rows), key: keys[layer].rows(seen), value: values[layer].rows(seen),
        output: heads.rows(0..<t),
        logSumExp: logSumExp.rows(0..<t).reshaped(rows: sequences * shape.heads, columns: length)))
    try backend.run(
      MatrixMultiply(
        heads.rows(0..<t), model.weight(.attentionOutput(layer: layer)),
        transposeRight: true, into: stream.rows(0..<t), adding: stream.rows(0..<t)))
  }

  private func feedForward(_ layer: Int, tokens t: Int) throws(ComputeError) {
    try norm(.feedForwardNorm(layer: layer), tokens: t)
    var start = 0
    while start < t {
      let range = start..<min(start + activation.rows, t)
      let hidden = activation.rows(0..<range.count)
      let target = stream.rows(range)
      try model.backend.run(
        MatrixMultiply(
          normalized.rows(range), model.weight(.up(layer: layer)), transposeRight: true,
          into: hidden, epilogue: .squaredReLU))
      try model.backend.run(
        MatrixMultiply(
          hidden, model.weight(.down(layer: layer)), into: target, adding: target))
      start = range.upperBound
    }
  }

  private func project(_ hidden: TensorView, into rows: TensorView) throws(ComputeError) {
    try model.backend.run(
      MatrixMultiply(hidden, model.outputWeight, transposeRight: true, into: rows))
  }

  private func forEachChunk(
    of t: Int, _ body: (Range<Int>, TensorView) throws(ComputeError) -> Void
  ) throws(ComputeError) {
    var start = 0
    while start < t {
      let range = start..<min(start + logits.rows, t)
      let rows = logits.rows(0..<range.count)
      try project(normalized.rows(range), into: rows)
      try body(range, rows)
      start = range.upperBound
    }
  }
}
