/// Products 2 and 5: packed values times gathered rows, written where the tokens came from.
///
/// `output[order[p], :] (+)= Σ_j packed[p, j] · weights[columns[p / V, j], :]`.
/// Shapes: packed [T, K], weights [f, d] (neuron-major), output [T, d].
public struct PackedProduct: Operation {
  public var packed: TensorView
  public var weights: TensorView
  public var pattern: PackedPattern
  public var output: TensorView
  /// Whether the result is added to what the output holds.
  public var accumulate: Bool

  /// See the type.
  public init(
    packed: TensorView, weights: TensorView, pattern: PackedPattern, output: TensorView,
    accumulate: Bool
  ) {
    self.packed = packed
    self.weights = weights
    self.pattern = pattern
    self.output = output
    self.accumulate = accumulate
  }

  public func checkShapes() {
    pattern.check(tokens: output.rows)
    require(packed.rows, output.rows, "tokens")
    require(packed.columns, pattern.keptColumns, "kept neurons")
    require(weights.columns, output.columns, "width")
  }

  public var flops: Double { 2 * Double(packed.count) * Double(output.columns) }
  public var bytes: Double { size(packed, output, pattern.columns) + size(weights) }
}
