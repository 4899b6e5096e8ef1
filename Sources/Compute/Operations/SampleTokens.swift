/// Lists the tokens whose activations stand for their block: evenly spaced positions.
///
/// A block of v tokens gives min(samples, v) of them, at the positions `j · v / min(samples, v)`.
/// Shapes: order int32 [1, T] or nil for tokens in place; output int32 [1, sampled tokens].
public struct SampleTokens: Operation {
  public var order: TensorView?
  public var tokens: Int
  public var blockTokens: Int
  public var samples: Int
  public var output: TensorView

  /// See the type.
  public init(
    order: TensorView?, tokens: Int, blockTokens: Int, samples: Int, output: TensorView
  ) {
    self.order = order
    self.tokens = tokens
    self.blockTokens = blockTokens
    self.samples = samples
    self.output = output
  }

  /// How many tokens are listed in all.
  public static func count(tokens: Int, blockTokens: Int, samples: Int) -> Int {
    let short = tokens % blockTokens
    return tokens / blockTokens * min(samples, blockTokens) + min(samples, short)
  }

  public func checkShapes() {
    require(output, .int32, "output")
    precondition(samples >= 1, "SampleTokens: \(samples) samples")
    if let order { require(order.count, tokens, "order") }
    require(
      output.count,
      SampleTokens.count(tokens: tokens, blockTokens: blockTokens, samples: samples),
      "sampled tokens")
  }

  public var flops: Double { 0 }
  public var bytes: Double { size(output, output) }
}
