/// Sums of activations over the tokens of each block: what a block's neurons are chosen by.
///
/// Rows are taken in `order` (or in place) and cut into blocks of `blockRows`, a short last one
/// included; each sum runs in ascending position.
/// Shapes: values [R, f], order int32 [1, R] or nil, sums [blocks, f].
public struct BlockSums: Operation {
  public var values: TensorView
  public var order: TensorView?
  public var blockRows: Int
  public var sums: TensorView

  /// See the type.
  public init(
    values: TensorView, order: TensorView?, blockRows: Int, sums: TensorView
  ) {
    self.values = values
    self.order = order
    self.blockRows = blockRows
    self.sums = sums
  }

  public func checkShapes() {
    if let order { require(order.count, values.rows, "order") }
    require(sums.columns, values.columns, "columns")
    require(
      sums.rows, PackedPattern.blocks(tokens: values.rows, blockTokens: blockRows), "blocks")
  }

  public var flops: Double { Double(values.count) }
  public var bytes: Double { size(values, sums) }
}
