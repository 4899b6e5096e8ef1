/// `result[0] = Σ values²`, in a fixed order, accumulated in double precision and rounded once.
///
/// Infinite or NaN when any value is: the global norm and the non-finite check in one pass.
/// Shapes: values [r, c], result float32 [1, 1].
public struct SumOfSquares: Operation {
  public var values: TensorView
  public var result: TensorView

  /// See the type.
  public init(values: TensorView, result: TensorView) {
    self.values = values
    self.result = result
  }

  public func checkShapes() { require(result.count, 1, "result") }
  public var flops: Double { 2 * Double(values.count) }
  public var bytes: Double { size(values) }
}
