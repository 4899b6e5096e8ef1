/// Three numbers about activations: `result = [Σ a, Σ a², share of entries above zero]`.
///
/// Sums run in double precision. Shapes: values [r, c], result [1, 3].
public struct ActivationStatistics: Operation {
  public var values: TensorView
  public var result: TensorView

  /// See the type.
  public init(values: TensorView, result: TensorView) {
    self.values = values
    self.result = result
  }

  public func checkShapes() { require(result.count, 3, "result") }
  public var flops: Double { 4 * Double(values.count) }
  public var bytes: Double { size(values) }
}
