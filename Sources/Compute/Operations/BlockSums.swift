/// Sums of activations over the tokens of each block: what a block's neurons are chosen by.
///
/// Rows are taken in `order` (or in place) and cut into blocks of `blockRows`, a short last one
/// included; each sum runs in ascending position. The rows of the blocks before and after count
/// too, by `neighbourWeight`: neighbours in routed order are alike, and few samples say little.
/// Shapes: values [R, f], order int32 [1, R] or nil, sums [blocks, f].
public struct BlockSums: Operation {
  public var values: TensorView
  public var order: TensorView?
  public var blockRows: Int
  public var neighbourWeight: Float
  public var sums: TensorView

  /// See the type.
  public init(
    values: TensorView, order: TensorView?, blockRows: Int, neighbourWeight: Float = 0,
    sums: TensorView
  ) {
    self.values = values
    self.order = order
    self.blockRows = blockRows
    self.neighbourWeight = neighbourWeight
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
