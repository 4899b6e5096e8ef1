/// Products 1 and 3: only the kept entries of `input · weightsᵀ`, packed.
///
/// `output[p, j] = epilogue(Σ_d input[order[p], d] · weights[columns[p / V, j], d])`.
/// Shapes: input [T, d], weights [f, d] (neuron-major), output [T, K]; the activation of the
/// `timesTwoSqrt` epilogue is packed, [T, K].
public struct KeptProduct: Operation {
  public var input: TensorView
  public var weights: TensorView
  public var pattern: PackedPattern
  public var output: TensorView
  public var epilogue: MatrixMultiply.Epilogue

  /// See the type.
  public init(
    input: TensorView, weights: TensorView, pattern: PackedPattern, output: TensorView,
    epilogue: MatrixMultiply.Epilogue
  ) {
    self.input = input
    self.weights = weights
    self.pattern = pattern
    self.output = output
    self.epilogue = epilogue
  }

  public func checkShapes() {
    pattern.check(tokens: input.rows)
    require(input.columns, weights.columns, "width")
    require(output.rows, input.rows, "tokens")
    require(output.columns, pattern.keptColumns, "kept neurons")
    if case .timesTwoSqrt(let activation) = epilogue {
      require(activation.rows, output.rows, "activation rows")
      require(activation.columns, output.columns, "activation columns")
    }
  }

  public var flops: Double { 2 * Double(output.count) * Double(input.columns) }
  public var bytes: Double { size(input, output, pattern.columns) + size(weights) }
}
