/// A product, the first columns of which are turned by their rows' positions: queries, keys and values in one packed
/// projection.
///
/// `MatrixMultiply`, then `RotaryEmbedding` on columns 0 … of its output; a backend may do both at once, and then
/// round once where two operations round twice.
public struct RotaryProduct: Operation {
  /// The product; without an epilogue.
  public var product: MatrixMultiply
  /// The turn; its values are the first columns of the product's output.
  public var turn: RotaryEmbedding

  /// See the properties.
  public init(_ product: MatrixMultiply, turn: RotaryEmbedding) {
    self.product = product
    self.turn = turn
  }

  public func checkShapes() {
    product.checkShapes()
    turn.checkShapes()
    require(turn.values.rows, product.output.rows, "rows that turn")
    precondition(
      turn.values.address == product.output.address && turn.values.stride == product.output.stride
        && turn.values.columns <= product.output.columns,
      "RotaryProduct: what turns is not the first columns of the output")
    precondition(product.epilogue == .none, "RotaryProduct: an epilogue before the turn")
  }

  public var flops: Double { product.flops + turn.flops }
  /// What is turned on the way need not be read and written again.
  public var bytes: Double { product.bytes + size(turn.table) }
}

extension Backend {
  /// One after the other: the definition.
  public func run(_ operation: RotaryProduct) throws(ComputeError) {
    operation.checkShapes()
    try run(operation.product)
    try run(operation.turn)
  }
}
