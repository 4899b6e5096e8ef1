/// Sorts tokens by the two clusters they are nearest to, so that neighbours need the same neurons.
///
/// A token's key is (nearest, second nearest) cluster by score, ties to the lower index; the sort
/// is stable. Shapes: scores [T, C], order int32 [1, T] (position → token).
public struct RouteTokens: Operation {
  public var scores: TensorView
  public var order: TensorView

  /// See the type.
  public init(scores: TensorView, order: TensorView) {
    self.scores = scores
    self.order = order
  }

  public func checkShapes() {
    require(order, .int32, "order")
    require(order.count, scores.rows, "tokens")
    precondition(scores.columns >= 1, "RouteTokens: no clusters")
  }

  public var flops: Double { 2 * Double(scores.count) }
  public var bytes: Double { size(scores, order) }
}
