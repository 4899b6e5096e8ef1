/// Sums of activations, or of their squares, over the tokens of each block: what a block's neurons are
/// chosen by.
///
/// Rows are cut into blocks of `blockRows`, a short last one included; each sum runs in ascending
/// position. Shapes: values [R, f], sums [blocks, f].
public struct BlockSums: Operation {
  public var values: TensorView
  public var blockRows: Int
  /// Whether squares of values are added.
  public var squares: Bool
  public var sums: TensorView

  /// See the type.
  public init(values: TensorView, blockRows: Int, squares: Bool = false, sums: TensorView) {
    self.values = values
    self.blockRows = blockRows
    self.squares = squares
    self.sums = sums
  }

  public func checkShapes() {
    require(sums.columns, values.columns, "columns")
    require(
      sums.rows, PackedPattern.blocks(tokens: values.rows, blockTokens: blockRows), "blocks")
  }

  public var flops: Double { Double(values.count) }
  public var bytes: Double { size(values, sums) }
}
