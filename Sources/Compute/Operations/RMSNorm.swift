/// Root-mean-square normalisation of every row: `y = x / sqrt(mean(x²) + epsilon) · weight`.
///
/// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", arXiv 1910.07467.
public enum RMSNorm {
  /// A copy of every `step`th row of a matrix in 8-bit floats, from the first: what `BlockEnergies` takes
  /// as `eightBitInput`. A backend whose `BlockEnergies` does not read it leaves it as it is.
  /// Shapes: rows uint16 [T / step, d / 2], two numbers in each.
  public struct EightBitCopy: Sendable {
    public var rows: TensorView
    public var step: Int

    /// See the type.
    public init(rows: TensorView, step: Int) {
      self.rows = rows
      self.step = step
    }
  }

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
    /// Where rows of the output are wanted a second time.
    public var eightBitCopy: EightBitCopy?

    /// See the type; with an order, input and output must not overlap.
    public init(
      input: TensorView, weight: TensorView, output: TensorView, inverseRMS: TensorView,
      epsilon: Float, order: TensorView? = nil, eightBitCopy: EightBitCopy? = nil
    ) {
      self.eightBitCopy = eightBitCopy
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
      if let eightBitCopy {
        require(eightBitCopy.rows, .uint16, "copy in 8 bits")
        require(eightBitCopy.rows.rows * eightBitCopy.step, output.rows, "rows of the copy")
        require(eightBitCopy.rows.columns * 2, output.columns, "width of the copy")
        require(eightBitCopy.rows.stride, eightBitCopy.rows.columns, "stride of the copy")
      }
    }

    public var flops: Double { 4 * Double(input.count) }
    public var bytes: Double { size(input, output, weight, inverseRMS) }
  }

  /// A copy of a matrix with its rows in another order: row i is the matrix's row `order[i]`. Shapes:
  /// order int32 [1, T], a permutation; rows [T, d].
  public struct OrderedCopy: Sendable {
    public var order: TensorView
    public var rows: TensorView

    /// See the type.
    public init(order: TensorView, rows: TensorView) {
      self.order = order
      self.rows = rows
    }
  }

  /// The gradients: `inputGradient += …` (the residual stream's gradient is already there),
  /// `weightGradient += …`; and a copy of the input gradient, where somebody wants one.
  public struct Backward: Operation {
    public var outputGradient: TensorView
    public var input: TensorView
    public var weight: TensorView
    public var inverseRMS: TensorView
    public var inputGradient: TensorView
    public var weightGradient: TensorView
    public var copy: OrderedCopy?

    /// See the type.
    public init(
      outputGradient: TensorView, input: TensorView, weight: TensorView,
      inverseRMS: TensorView, inputGradient: TensorView, weightGradient: TensorView,
      copy: OrderedCopy? = nil
    ) {
      self.copy = copy
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
      if let copy {
        require(copy.order, .int32, "order")
        require(copy.order.count, input.rows, "order")
        require(copy.rows, inputGradient.elementType, "copy")
        require(copy.rows.rows, input.rows, "rows of the copy")
        require(copy.rows.columns, input.columns, "width of the copy")
      }
    }

    public var flops: Double { 9 * Double(input.count) }
    public var bytes: Double {
      size(outputGradient, input, inputGradient, inputGradient, weight)
        + (copy.map { size($0.rows) } ?? 0)
    }
  }
}
