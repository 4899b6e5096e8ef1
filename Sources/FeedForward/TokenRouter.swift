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
    } else {
      scores = nil
    }
    self.centroids = centroids
  }

  /// All that an instance allocates.
  static func bytes(_ shape: FeedForwardShape, clusters: Int) -> Int {
    shape.layers * Arena.bytes(rows: clusters, columns: shape.width, shape.storage)
      + Arena.bytes(rows: shape.tokens, columns: clusters)
  }

  /// Sets the centroids of all layers, [C, d] each, and makes the router ready.
  public func setCentroids(_ values: [[Float]]) throws(ComputeError) {
    precondition(values.count == centroids.count, "\(values.count) of \(centroids.count) layers")
    for (view, rows) in zip(centroids, values) { try backend.write(floats: rows, to: view) }
    isReady = !values.isEmpty
  }

  /// Fills `order` (int32 [1, T]) for a layer's input [T, d]; false when tokens stay in place.
  func route(layer: Int, input: TensorView, order: TensorView) throws(ComputeError) -> Bool {
    guard isReady, let scores else { return false }
    let rows = scores.rows(0..<input.rows)
    try backend.run(
      RouteTokens(input: input, centroids: centroids[layer], scores: rows, order: order))
    return true
  }
}
