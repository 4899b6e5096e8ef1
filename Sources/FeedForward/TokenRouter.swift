public import Compute

/// Sorts the tokens of a micro-batch so that neighbours need the same neurons.
///
/// Holds the centroids of every layer's clusters, which a token's scores are products with.
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
  private let arena: Arena

  /// Memory for the centroids of all layers and the scores of one. No clusters: never ready.
  public init(
    shape: FeedForwardShape, clusters: Int, on backend: any Backend
  ) throws(ComputeError) {
    self.backend = backend
    arena = try Arena(
      byteCount: TokenRouter.bytes(shape, clusters: clusters), on: backend,
      purpose: "token router")
    var centroids: [TensorView] = []
    if clusters > 0 {
      for _ in 0..<shape.layers {
        centroids.append(arena.take(rows: clusters, columns: shape.width, shape.storage))
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
  }

  /// All that an instance allocates.
  static func bytes(_ shape: FeedForwardShape, clusters: Int) -> Int {
    guard clusters > 0 else { return 0 }
    return (shape.layers + 1) * Arena.bytes(rows: clusters, columns: shape.width, shape.storage)
      + Arena.bytes(rows: shape.tokens, columns: clusters)
      + Arena.bytes(rows: 1, columns: clusters)
  }

  /// Sets the centroids of all layers, [C, d] each, and makes the router ready.
  public func setCentroids(_ values: [[Float]]) throws(ComputeError) {
    precondition(values.count == centroids.count, "\(values.count) of \(centroids.count) layers")
    for (view, rows) in zip(centroids, values) { try backend.write(floats: rows, to: view) }
    isReady = !values.isEmpty
  }

  /// Fills `order` (int32 [1, T]) for a layer's input, which is `hidden` [T, d] or its norm with
  /// weights `gain`; false when tokens stay in place.
  ///
  /// The norm is never computed: its weights go to the centroids, and a token's length is the same
  /// factor on all of its scores. The operation that multiplies centroids by the weights, a norm
  /// too, changes their length, which is 1, by one factor for all of them.
  func route(
    layer: Int, hidden: TensorView, gain: TensorView?, order: TensorView
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
        scores: scores.rows(0..<hidden.rows), order: order))
    return true
  }
}
