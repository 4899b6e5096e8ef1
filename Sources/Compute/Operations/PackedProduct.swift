/// Products 2 and 5: packed values times gathered rows, written where the tokens came from.
///
/// `output[t, :] = Σ_j packed[p, j] · weights[columns[p / V, j], :] + addend[t, :]`, t = order[p].
/// Shapes: packed [T, K], weights [f, d] (neuron-major), output and addend [T, d].
public struct PackedProduct: Operation {
  public var packed: TensorView
  public var weights: TensorView
  public var pattern: PackedPattern
  public var output: TensorView
  /// Added in token order; nil for nothing. The output itself accumulates in place.
  public var addend: TensorView?

  /// See the type.
  public init(
    packed: TensorView, weights: TensorView, pattern: PackedPattern, output: TensorView,
    adding addend: TensorView? = nil
  ) {
    self.packed = packed
    self.weights = weights
    self.pattern = pattern
    self.output = output
    self.addend = addend
  }

  public func checkShapes() {
    pattern.check(tokens: output.rows)
    require(packed.rows, output.rows, "tokens")
    require(packed.columns, pattern.keptColumns, "kept neurons")
    require(weights.columns, output.columns, "width")
    if let addend {
      require(addend.rows, output.rows, "addend rows")
      require(addend.columns, output.columns, "addend columns")
    }
  }

  public var flops: Double { 2 * Double(packed.count) * Double(output.columns) }
  public var bytes: Double { size(packed, output, pattern.columns) + size(weights) }
}
