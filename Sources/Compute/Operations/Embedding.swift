/// Looking up one row per token, and the gradient of that.
public enum Embedding {
  /// `output[t] = table[tokens[t]]`.
  ///
  /// Shapes: tokens int32 [1, T], table [vocabulary, d], output [T, d].
  public struct Forward: Operation {
    public var tokens: TensorView
    public var table: TensorView
    public var output: TensorView

    /// See the type.
    public init(tokens: TensorView, table: TensorView, output: TensorView) {
      self.tokens = tokens
      self.table = table
      self.output = output
    }

    public func checkShapes() {
      require(tokens, .int32, "tokens")
      require(tokens.count, output.rows, "tokens")
      require(table.columns, output.columns, "width")
    }

    public var flops: Double { 0 }
    public var bytes: Double { size(tokens, output, output) }
  }

  /// `tableGradient[tokens[t]] += outputGradient[t]`, added in an order that depends on the tokens alone:
  /// reproducible.
  ///
  /// The table's gradient is float32, or of the type of outputs where it is replaced: rows of ids
  /// that do not occur become zero then, and whatever was there is not read.
  public struct Backward: Operation {
    public var tokens: TensorView
    public var outputGradient: TensorView
    public var tableGradient: TensorView
    public var replaces: Bool

    /// See the type.
    public init(
      tokens: TensorView, outputGradient: TensorView, tableGradient: TensorView,
      replaces: Bool = false
    ) {
      self.tokens = tokens
      self.outputGradient = outputGradient
      self.tableGradient = tableGradient
      self.replaces = replaces
    }

    public func checkShapes() {
      require(tokens, .int32, "tokens")
      require(tokens.count, outputGradient.rows, "tokens")
      require(tableGradient.columns, outputGradient.columns, "width")
    }

    public var flops: Double { Double(outputGradient.count) }
    public var bytes: Double {
      size(tokens, outputGradient)
        + (replaces ? size(tableGradient) : size(outputGradient, outputGradient))
    }
  }
}
