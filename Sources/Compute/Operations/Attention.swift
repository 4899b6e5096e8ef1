/// Causal grouped-query attention: `softmax(scale · Q Kᵀ + causal mask) V`, head by head.
///
/// Query head h reads key and value head `h / (heads / keyValueHeads)`. Query i of a sequence
/// sees keys 0 … i + (keyLength − queryLength). Sequences do not see each other.
/// Nothing of size [queryLength, keyLength] survives the call; backward recomputes it from
/// `logSumExp`. Source: Dao et al., "FlashAttention", arXiv 2205.14135.
public enum Attention {
  /// The sizes both directions share.
  public struct Geometry: Sendable, Equatable {
    public var sequences: Int
    public var queryLength: Int
    public var keyLength: Int
    public var heads: Int
    public var keyValueHeads: Int
    public var headWidth: Int

    /// `keyLength` defaults to `queryLength` (training); it is larger when decoding from a cache.
    public init(
      sequences: Int, queryLength: Int, keyLength: Int? = nil, heads: Int,
      keyValueHeads: Int, headWidth: Int
    ) {
      self.sequences = sequences
      self.queryLength = queryLength
      self.keyLength = keyLength ?? queryLength
      self.heads = heads
      self.keyValueHeads = keyValueHeads
      self.headWidth = headWidth
    }

    /// headWidth to the power −1/2.
    public var scale: Float { 1 / Float(headWidth).squareRoot() }

    /// Pairs of query and key that the causal mask leaves, over all heads and sequences.
    public var visiblePairs: Double {
      let q = Double(queryLength)
      let before = Double(keyLength - queryLength)
      return Double(sequences * heads) * (q * before + q * (q + 1) / 2)
    }
  }

  /// Shapes: query, output [sequences·queryLength, heads·headWidth],
  /// key, value [sequences·keyLength, keyValueHeads·headWidth] (all may be slices of one packed
  /// matrix), logSumExp [sequences·heads, queryLength]: a row for each head of a sequence.
  public struct Forward: Operation {
    public var geometry: Geometry
    public var query: TensorView
    public var key: TensorView
    public var value: TensorView
    public var output: TensorView
    public var logSumExp: TensorView

    /// See the type.
    public init(
      geometry: Geometry, query: TensorView, key: TensorView, value: TensorView,
      output: TensorView, logSumExp: TensorView
    ) {
      self.geometry = geometry
      self.query = query
      self.key = key
      self.value = value
      self.output = output
      self.logSumExp = logSumExp
    }

    public func checkShapes() {
      let g = geometry
      require(g.heads % g.keyValueHeads, 0, "heads \(g.heads) in groups of \(g.keyValueHeads)")
      precondition(g.keyLength >= g.queryLength, "Attention: more queries than keys")
      for view in [query, output] {
        require(view.rows, g.sequences * g.queryLength, "query rows")
        require(view.columns, g.heads * g.headWidth, "query width")
      }
      for view in [key, value] {
        require(view.rows, g.sequences * g.keyLength, "key rows")
        require(view.columns, g.keyValueHeads * g.headWidth, "key width")
      }
      require(logSumExp.rows, g.sequences * g.heads, "logSumExp rows")
      require(logSumExp.columns, g.queryLength, "logSumExp length")
    }

    public var flops: Double { 4 * geometry.visiblePairs * Double(geometry.headWidth) }
    public var bytes: Double { size(query, key, value, output, logSumExp) }
  }

  /// Overwrites queryGradient, keyGradient and valueGradient; training shapes only
  /// (keyLength equals queryLength).
  public struct Backward: Operation {
    public var forward: Forward
    public var outputGradient: TensorView
    public var queryGradient: TensorView
    public var keyGradient: TensorView
    public var valueGradient: TensorView

    /// `forward` carries the inputs and results of the forward pass.
    public init(
      of forward: Forward, outputGradient: TensorView, queryGradient: TensorView,
      keyGradient: TensorView, valueGradient: TensorView
    ) {
      self.forward = forward
      self.outputGradient = outputGradient
      self.queryGradient = queryGradient
      self.keyGradient = keyGradient
      self.valueGradient = valueGradient
    }

    public func checkShapes() {
      forward.checkShapes()
      require(forward.geometry.keyLength, forward.geometry.queryLength, "lengths")
      require(outputGradient.rows, forward.output.rows, "gradient rows")
      require(outputGradient.columns, forward.output.columns, "gradient width")
      require(queryGradient.columns, forward.query.columns, "query gradient width")
      require(keyGradient.columns, forward.key.columns, "key gradient width")
      require(valueGradient.columns, forward.value.columns, "value gradient width")
      for view in [queryGradient, keyGradient, valueGradient] {
        require(view.rows, forward.query.rows, "gradient rows")
      }
    }

    /// Five products instead of two, the recomputed one included.
    public var flops: Double {
      10 * forward.geometry.visiblePairs * Double(forward.geometry.headWidth)
    }
    public var bytes: Double {
      forward.bytes + size(outputGradient, queryGradient, keyGradient, valueGradient)
    }
  }
}
