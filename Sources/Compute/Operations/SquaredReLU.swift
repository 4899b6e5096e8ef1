/// `A = relu(H)²`, in place, and its derivative from A alone: `2·sqrt(A) = 2·relu(H)`.
///
/// Source: So et al., "Primer", arXiv 2109.08668. Usually fused as an epilogue of a product.
public enum SquaredReLU {
  /// values: H in, A out; a zero result is +0.
  public struct Forward: Operation {
    public var values: TensorView

    /// See the type.
    public init(values: TensorView) { self.values = values }

    public func checkShapes() {}
    public var flops: Double { 2 * Double(values.count) }
    public var bytes: Double { size(values, values) }
  }

  /// gradient: dA in, `dH = dA · 2·sqrt(A)` out. Shapes: both [T, f].
  public struct Backward: Operation {
    public var activation: TensorView
    public var gradient: TensorView

    /// See the type.
    public init(activation: TensorView, gradient: TensorView) {
      self.activation = activation
      self.gradient = gradient
    }

    public func checkShapes() {
      require(activation.rows, gradient.rows, "rows")
      require(activation.columns, gradient.columns, "columns")
    }

    public var flops: Double { 3 * Double(gradient.count) }
    public var bytes: Double { size(activation, gradient, gradient) }
  }
}
