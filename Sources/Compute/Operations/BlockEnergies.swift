/// Sums of activations, or of their squares, over the tokens of each block, which are never stored: what a
/// block's columns are chosen by.
///
/// `sums[b, n] = Σ_r A[r, n]`, or of A², with `A[r, n] = max(Σ_d input[r, d] · weights[n, d], 0)²`, over the
/// rows r of block b: product 1 and `BlockSums` in one, of all tokens or of some.
/// Shapes: input [R, d], weights [f, d] (neuron-major), sums [blocks, f] in float32.
public struct BlockEnergies: Operation {
  public var input: TensorView
  public var weights: TensorView
  /// Rows of a block; a short last block is a block.
  public var blockRows: Int
  /// Whether squares of activations are added.
  public var squares: Bool
  /// Promises that at most two of every four consecutive weights of a row are not zero.
  public var isTwoOfFour: Bool
  /// Allows factors rounded to 8-bit floats with three bits after the point, where a backend is faster
  /// with them: sums are then right to a few percent, if inputs are about 1 in size.
  public var allowsEightBits: Bool
  /// The input in 8-bit floats, where a norm made them already (`RMSNorm.EightBitCopy`); with
  /// `allowsEightBits` only.
  public var eightBitInput: TensorView?
  /// The weights in 8-bit floats, where `SoftThreshold` made them already; with `isTwoOfFour` and
  /// `allowsEightBits` only.
  public var eightBitWeights: TensorView?
  public var sums: TensorView

  /// See the type.
  public init(
    input: TensorView, weights: TensorView, blockRows: Int, squares: Bool = false,
    isTwoOfFour: Bool = false, allowsEightBits: Bool = false, eightBitInput: TensorView? = nil,
    eightBitWeights: TensorView? = nil, sums: TensorView
  ) {
    self.input = input
    self.weights = weights
    self.blockRows = blockRows
    self.squares = squares
    self.isTwoOfFour = isTwoOfFour
    self.allowsEightBits = allowsEightBits
    self.eightBitInput = allowsEightBits ? eightBitInput : nil
    self.eightBitWeights = allowsEightBits && isTwoOfFour ? eightBitWeights : nil
    self.sums = sums
  }

  /// Elements of uint16 that 2:4 weights take in 8 bits, with positions and factors, in whatever layout
  /// a backend has for them.
  public static func eightBitWords(neurons: Int, width: Int) -> Int {
    (neurons + 127) / 128 * ((width + 127) / 128) * 5120 + 2 * neurons
  }

  public func checkShapes() {
    require(weights.columns, input.columns, "width")
    require(sums.columns, weights.rows, "neurons")
    require(
      sums.rows, PackedPattern.blocks(tokens: input.rows, blockTokens: blockRows), "blocks")
    if let eightBitInput {
      require(eightBitInput, .uint16, "input in 8 bits")
      require(eightBitInput.rows, input.rows, "rows in 8 bits")
      require(eightBitInput.columns * 2, input.columns, "width in 8 bits")
    }
    if let eightBitWeights {
      require(eightBitWeights, .uint16, "weights in 8 bits")
      require(
        eightBitWeights.count,
        BlockEnergies.eightBitWords(neurons: weights.rows, width: weights.columns),
        "weights in 8 bits")
    }
  }

  public var flops: Double { 2 * Double(input.rows) * Double(weights.count) }
  public var bytes: Double { size(input, weights, sums) }
}
