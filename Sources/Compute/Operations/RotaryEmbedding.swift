/// Rotary position embedding, half-rotated: dimension j turns together with j + headWidth/2.
///
/// Works in place on every head of every row. The row's position is `firstPosition` plus its
/// index within its sequence. `inverse` turns back, which is the gradient.
///
/// Shapes: values [sequences · sequenceLength, heads · headWidth],
/// table [positions, headWidth]: headWidth/2 cosines, then headWidth/2 sines.
/// Source: Su et al., "RoFormer", arXiv 2104.09864, in the layout of Llama.
public struct RotaryEmbedding: Operation {
  public var values: TensorView
  public var table: TensorView
  public var headWidth: Int
  public var sequenceLength: Int
  public var firstPosition: Int
  public var inverse: Bool

  /// See the type.
  public init(
    values: TensorView, table: TensorView, headWidth: Int, sequenceLength: Int,
    firstPosition: Int = 0, inverse: Bool = false
  ) {
    self.values = values
    self.table = table
    self.headWidth = headWidth
    self.sequenceLength = sequenceLength
    self.firstPosition = firstPosition
    self.inverse = inverse
  }

  public func checkShapes() {
    precondition(headWidth % 2 == 0, "RotaryEmbedding: head width \(headWidth) is odd")
    require(values.columns % headWidth, 0, "width \(values.columns) in heads of \(headWidth)")
    require(table.columns, headWidth, "table width")
    require(values.rows % sequenceLength, 0, "rows \(values.rows) in sequences")
    precondition(
      firstPosition + sequenceLength <= table.rows,
      "RotaryEmbedding: position \(firstPosition + sequenceLength) past \(table.rows)")
  }

  public var flops: Double { 3 * Double(values.count) }
  public var bytes: Double { size(values, values, table) }
}
