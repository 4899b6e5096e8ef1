/// V:N:M of Aᵀ: the pattern the paper's products 4 and 6 would need, whose contraction runs over
/// tokens. In place.
///
/// Tokens are taken in `order` and cut into groups of M; neurons into blocks of V consecutive
/// ones. A block keeps the 4 tokens of a group with the largest sums of A over its neurons, then
/// every neuron keeps its N largest of those; ties to the earlier position. A short last group or
/// block is one. `companion` (dH) loses the same entries.
/// Shapes: activation, companion [T, f], order int32 [1, T] or nil.
public struct TransposedVenomMask: Operation {
  public var activation: TensorView
  public var companion: TensorView?
  public var order: TensorView?
  public var blockNeurons: Int
  public var keep: Int
  public var groupTokens: Int

  /// See the type.
  public init(
    activation: TensorView, companion: TensorView?, order: TensorView?, blockNeurons: Int,
    keep: Int, groupTokens: Int
  ) {
    self.activation = activation
    self.companion = companion
    self.order = order
    self.blockNeurons = blockNeurons
    self.keep = keep
    self.groupTokens = groupTokens
  }

  public func checkShapes() {
    if let order { require(order.count, activation.rows, "order") }
    if let companion {
      require(companion.rows, activation.rows, "companion rows")
      require(companion.columns, activation.columns, "companion columns")
    }
    precondition((1...4).contains(keep), "TransposedVenomMask: keep \(keep) of 4")
    precondition(groupTokens >= 4, "TransposedVenomMask: groups of \(groupTokens), 4 at least")
    precondition(blockNeurons >= 1, "TransposedVenomMask: blocks of \(blockNeurons) neurons")
  }

  public var flops: Double { 4 * Double(activation.count) }
  public var bytes: Double { size(activation, activation) }
}
