/// `output = source` in another element type: float32 to bfloat16 (to nearest, ties to even) or back.
///
/// Shapes: both [r, c].
public struct ConvertElements: Operation {
  public var source: TensorView
  public var output: TensorView

  /// See the type.
  public init(source: TensorView, output: TensorView) {
    self.source = source
    self.output = output
  }

  public func checkShapes() {
    require(source.rows, output.rows, "rows")
    require(source.columns, output.columns, "columns")
    for view in [source, output] {
      precondition(
        view.elementType == .float32 || view.elementType == .bfloat16,
        "ConvertElements: \(view.elementType.rawValue)")
    }
  }

  public var flops: Double { 0 }
  public var bytes: Double { size(source, output) }
}
