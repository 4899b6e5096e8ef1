public import Compute

/// Sorts the tokens of a micro-batch so that neighbours need the same neurons.
///
/// Holds the centroids of every layer's clusters, which a token's scores are products with. They begin
/// where clusters of neurons have them, and may move to where the tokens are.
public final class TokenRouter {
  /// Centroids of a layer, [C, d], rows of length 1; valid once `isReady`.
  public let centroids: [TensorView]
  /// Whether centroids have been set: before that, tokens stay in place.
  public private(set) var isReady = false
  private let backend: any Backend
  private let scores: TensorView?
  /// A layer's centroids times the weights of its norm, and their inverse lengths.
  private let weighted: TensorView?
  private let lengths: TensorView?
  /// Where the centroids of the layers named move at the end of the step.
  private let moved: [TensorView]
  private var movedLayers: Set<Int> = []
  /// Where clusters stand, int32 [1, C], and where they will stand: tokens put them in a row when
  /// centroids move, and they stay there until those move again.
  public let places: [TensorView]
  private let movedPlaces: [TensorView]
  /// The layers whose clusters have places.
  public private(set) var placedLayers: Set<Int> = []
  /// Whether `findMoves` finds any.
  private var findsMoves = false
  private let arena: Arena

  /// A centroid with fewer tokens of a micro-batch begins anew at one of them: an eighth of a block of
  /// 128 gives a block nothing to be made of.
  public static let fewestTokens = 16

  /// Memory for the centroids of all layers and the scores of one. No clusters: never ready.
  /// `moves`: whether there is room for centroids that move.
  public init(
    shape: FeedForwardShape, clusters: Int, moves: Bool, on backend: any Backend
  ) throws(ComputeError) {
    self.backend = backend
    arena = try Arena(
      byteCount: TokenRouter.bytes(shape, clusters: clusters, moves: moves), on: backend,
      purpose: "token router")
    var centroids: [TensorView] = []
    var moved: [TensorView] = []
    var places: [TensorView] = []
    var movedPlaces: [TensorView] = []
    if clusters > 0 {
      for _ in 0..<shape.layers {
        centroids.append(arena.take(rows: clusters, columns: shape.width, shape.storage))
        if moves { moved.append(arena.take(rows: clusters, columns: shape.width, shape.storage)) }
        if moves && clusters <= RouteTokens.longestRow {
          places.append(arena.take(rows: 1, columns: clusters, .int32))
          movedPlaces.append(arena.take(rows: 1, columns: clusters, .int32))
        }
      }
      scores = arena.take(rows: shape.tokens, columns: clusters)
      weighted = arena.take(rows: clusters, columns: shape.width, shape.storage)
      lengths = arena.take(rows: 1, columns: clusters)
    } else {
      scores = nil
      weighted = nil
      lengths = nil
    }
    self.centroids = centroids
    self.moved = moved
    self.places = places
    self.movedPlaces = movedPlaces
  }

  /// All that an instance allocates.
  static func bytes(_ shape: FeedForwardShape, clusters: Int, moves: Bool) -> Int {
    guard clusters > 0 else { return 0 }
    return ((moves ? 2 : 1) * shape.layers + 1)
      * Arena.bytes(rows: clusters, columns: shape.width, shape.storage)
      + Arena.bytes(rows: shape.tokens, columns: clusters)
      + (moves && clusters <= RouteTokens.longestRow
        ? 2 * shape.layers * Arena.bytes(rows: 1, columns: clusters, .int32) : 0)
      + Arena.bytes(rows: 1, columns: clusters)
  }

  /// Sets the centroids of all layers, [C, d] each, and where clusters stand, for layers that know, and
  /// makes the router ready.
  public func setCentroids(
    _ values: [[Float]], places known: [[Int]] = []
  ) throws(ComputeError) {
    placedLayers = []
    for (layer, row) in known.enumerated()
    where layer < places.count && row.sorted() == Array(0..<places[layer].count) {
      try backend.write(row.map { Int32($0) }, to: places[layer])
      placedLayers.insert(layer)
    }
    precondition(values.count == centroids.count, "\(values.count) of \(centroids.count) layers")
    for (view, rows) in zip(centroids, values) { try backend.write(floats: rows, to: view) }
    isReady = !values.isEmpty
  }

  /// Fills `order` (int32 [1, T]), and marks where they are wanted, for a layer's input, which is
  /// `hidden` [T, d] or its norm with weights `gain`; false when tokens stay in place.
  ///
  /// The norm is never computed: its weights go to the centroids, and a token's length is the same
  /// factor on all of its scores. The operation that multiplies centroids by the weights, a norm
  /// too, changes their length, which is 1, by one factor for all of them.
  func route(
    layer: Int, hidden: TensorView, gain: TensorView?, order: TensorView, marks: BlockMarks?
  ) throws(ComputeError) -> Bool {
    guard isReady, let scores, let weighted, let lengths else { return false }
    if let gain {
      try backend.run(
        RMSNorm.Forward(
          input: centroids[layer], weight: gain, output: weighted, inverseRMS: lengths,
          epsilon: 1e-12))
    }
    try backend.run(
      RouteTokens(
        input: hidden, centroids: gain == nil ? centroids[layer] : weighted,
        scores: scores.rows(0..<hidden.rows), order: order,
        places: placedLayers.contains(layer) ? places[layer] : nil, marks: marks))
    return true
  }

  /// From now until `applyMoves` or `dropMoves`, `findMoves` finds where centroids should move.
  func startFindingMoves() {
    dropMoves()
    findsMoves = true
  }

  /// Finds, where that was asked for, where a layer's centroids should be for these rows of its input,
  /// [T, d] in any order, by one round of k-means; they go there at `applyMoves`. Later micro-batches of
  /// a step change nothing.
  func findMoves(layer: Int, input: TensorView) throws(ComputeError) {
    guard findsMoves, isReady, let scores, !moved.isEmpty, movedLayers.insert(layer).inserted
    else { return }
    try backend.run(
      MoveCentroids(
        input: input, centroids: centroids[layer], fewestRows: TokenRouter.fewestTokens,
        scores: scores.rows(0..<input.rows), moved: moved[layer]))
    guard !movedPlaces.isEmpty else { return }
    try backend.run(
      PlaceClusters(
        input: input, centroids: moved[layer], scores: scores.rows(0..<input.rows),
        places: movedPlaces[layer]))
  }

  /// Moves centroids; until then all passes of a step, computing again included, route alike.
  ///
  /// - Returns: Whether any moved.
  func applyMoves() throws(ComputeError) -> Bool {
    defer { dropMoves() }
    for layer in movedLayers {
      try backend.copy(from: moved[layer], to: centroids[layer])
      guard !movedPlaces.isEmpty else { continue }
      try backend.copy(from: movedPlaces[layer], to: places[layer])
      placedLayers.insert(layer)
    }
    return !movedLayers.isEmpty
  }

  /// Forgets what `findMoves` found: the step is not taken.
  func dropMoves() {
    movedLayers = []
    findsMoves = false
  }
}
