/// 2:4 soft-thresholded weights: per four consecutive ones, t = second smallest magnitude,
/// `output = scale · sign(w) · max(|w| − t, 0)`. At most two of four survive.
///
/// Shapes: weights, output [f, multiple of 4]. Source: Hu et al., "S-STE", arXiv 2409.09099.
public struct SoftThreshold: Operation {
  public var weights: TensorView
  public var output: TensorView
  /// beta, frozen when sparsity is switched on.
  public var scale: Float
  /// Where the output is wanted in 8-bit floats as well, for `BlockEnergies.eightBitWeights`: uint16,
  /// `BlockEnergies.eightBitWords` of them. A backend whose `BlockEnergies` does not read it leaves it
  /// as it is.
  public var eightBitOutput: TensorView?

  /// See the type.
  public init(
    weights: TensorView, output: TensorView, scale: Float, eightBitOutput: TensorView? = nil
  ) {
    self.eightBitOutput = eightBitOutput
    self.weights = weights
    self.output = output
    self.scale = scale
  }

  public func checkShapes() {
    require(weights.columns % 4, 0, "width \(weights.columns) in fours")
    require(weights.rows, output.rows, "rows")
    require(weights.columns, output.columns, "columns")
    if let eightBitOutput {
      require(eightBitOutput, .uint16, "output in 8 bits")
      require(
        eightBitOutput.count,
        BlockEnergies.eightBitWords(neurons: output.rows, width: output.columns),
        "output in 8 bits")
    }
  }

  public var flops: Double { 6 * Double(weights.count) }
  public var bytes: Double { size(weights, output) }
}

/// What beta is made of: `result = [<w, S(w)>, <S(w), S(w)>]`, summed in double precision.
///
/// Shapes: weights [f, multiple of 4], result [1, 2]. beta = result[0] / result[1].
public struct SoftThresholdMoments: Operation {
  public var weights: TensorView
  public var result: TensorView

  /// See the type.
  public init(weights: TensorView, result: TensorView) {
    self.weights = weights
    self.result = result
  }

  public func checkShapes() {
    require(weights.columns % 4, 0, "width \(weights.columns) in fours")
    require(result.count, 2, "result")
  }

  public var flops: Double { 8 * Double(weights.count) }
  public var bytes: Double { size(weights) }
}
