/// Lists the rows that stand for their block of tokens: evenly spaced positions.
///
/// A block of v tokens gives s = min(samples, v) of them, at the positions `j · v / s`, or halfway
/// between those, at `(2j + 1) · v / 2s`: other tokens, to judge a choice by, unless s is v.
/// Shape: output int32 [1, sampled tokens].
public struct SampleTokens: Operation {
  public var tokens: Int
  public var blockTokens: Int
  public var samples: Int
  /// Whether the positions lie halfway between the usual ones.
  public var isHalfway: Bool
  public var output: TensorView

  /// See the type.
  public init(
    tokens: Int, blockTokens: Int, samples: Int, isHalfway: Bool = false, output: TensorView
  ) {
    self.tokens = tokens
    self.blockTokens = blockTokens
    self.samples = samples
    self.isHalfway = isHalfway
    self.output = output
  }

  /// How many tokens are listed in all.
  public static func count(tokens: Int, blockTokens: Int, samples: Int) -> Int {
    let short = tokens % blockTokens
    return tokens / blockTokens * min(samples, blockTokens) + min(samples, short)
  }

  /// The step from one listed token to the next; nil where they do not lie evenly, as in a short last
  /// block.
  public static func step(tokens: Int, blockTokens: Int, samples: Int) -> Int? {
    tokens % blockTokens == 0 && blockTokens % samples == 0 ? blockTokens / samples : nil
  }

  /// The rows of tokens in place that would be listed, as a view of all rows; nil where they do not
  /// lie evenly.
  public static func view(
    of rows: TensorView, blockTokens: Int, samples: Int, isHalfway: Bool = false
  ) -> TensorView? {
    guard let step = step(tokens: rows.rows, blockTokens: blockTokens, samples: samples)
    else { return nil }
    let first = isHalfway ? step / 2 : 0
    return TensorView(
      address: rows.address + UInt64(first * rows.stride * rows.elementType.byteCount),
      rows: rows.rows / step, columns: rows.columns, stride: step * rows.stride,
      elementType: rows.elementType)
  }

  public func checkShapes() {
    require(output, .int32, "output")
    precondition(samples >= 1, "SampleTokens: \(samples) samples")
    require(
      output.count,
      SampleTokens.count(tokens: tokens, blockTokens: blockTokens, samples: samples),
      "sampled tokens")
  }

  public var flops: Double { 0 }
  public var bytes: Double { size(output) }
}
