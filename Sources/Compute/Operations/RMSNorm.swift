/// Root-mean-square normalisation of every row: `y = x / sqrt(mean(x²) + epsilon) · weight`.
///
/// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", arXiv 1910.07467.
public enum RMSNorm {
  /// Shapes: input, output [T, d], weight [1, d], inverseRMS [1, T] (kept for the backward pass),
  /// order int32 [1, T] or nil: row i of the output is that of row `order[i]` of the input;
  /// inverseRMS stays with the input's rows.
  public struct Forward: Operation {
    public var input: TensorView
    public var weight: TensorView
    public var output: TensorView
    public var inverseRMS: TensorView
    public var epsilon: Float
    public var order: TensorView?

    /// See the type; with an order, input and output must not overlap.
    public init(
      input: TensorView, weight: TensorView, output: TensorView, inverseRMS: TensorView,
      epsilon: Float, order: TensorView? = nil
    ) {
      self.order = order
      self.input = input
      self.weight = weight
      self.output = output
      self.inverseRMS = inverseRMS
      self.epsilon = epsilon
    }

    public func checkShapes() {
      require(input.rows, output.rows, "rows")
      require(input.columns, output.columns, "width")
      require(weight.count, input.columns, "weight")
      require(inverseRMS.count, input.rows, "inverseRMS")
      if let order {
        require(order, .int32, "order")
        require(order.count, input.rows, "order")
      }
    }

    public var flops: Double { 4 * Double(input.count) }
    public var bytes: Double { size(input, output, weight, inverseRMS) }
  }

  /// The gradients: `inputGradient += …` (the residual stream's gradient is already there),
  /// `weightGradient += …`.
  public struct Backward: Operation {
    public var outputGradient: TensorView
    public var input: TensorView
    public var weight: TensorView
    public var inverseRMS: TensorView
    public var inputGradient: TensorView
    public var weightGradient: TensorView

    /// See the type.
    public init(
      outputGradient: TensorView, input: TensorView, weight: TensorView,
      inverseRMS: TensorView, inputGradient: TensorView, weightGradient: TensorView
    ) {
      self.outputGradient = outputGradient
      self.input = input
      self.weight = weight
      self.inverseRMS = inverseRMS
      self.inputGradient = inputGradient
      self.weightGradient = weightGradient
    }

    public func checkShapes() {
      require(input.rows, outputGradient.rows, "rows")
      require(input.columns, outputGradient.columns, "width")
      require(inputGradient.rows, input.rows, "gradient rows")
      require(inputGradient.columns, input.columns, "gradient width")
      require(weight.count, input.columns, "weight")
      require(weightGradient.count, input.columns, "weight gradient")
      require(inverseRMS.count, input.rows, "inverseRMS")
    }

    public var flops: Double { 9 * Double(input.count) }
    public var bytes: Double { size(outputGradient, input, inputGradient, inputGradient, weight) }
  }
}
