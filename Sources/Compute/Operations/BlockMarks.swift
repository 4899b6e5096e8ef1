/// The clusters of a few tokens of every block of V tokens in routed order: what kind of tokens it holds.
///
/// Mark q of block b is the nearest cluster of the token at position `b V + (2 q + 1) V / 8`, or of the last
/// token where there is none.
/// Shapes: clusters int32 [blocks, 4].
public struct BlockMarks: Sendable {
  public var clusters: TensorView
  public var blockTokens: Int

  /// Tokens of a block that are looked at.
  public static let perBlock = 4

  /// See the type.
  public init(clusters: TensorView, blockTokens: Int) {
    self.clusters = clusters
    self.blockTokens = blockTokens
  }

  /// The position of a mark, counted through all blocks, among so many tokens.
  public func position(_ mark: Int, tokens: Int) -> Int {
    let (block, place) = mark.quotientAndRemainder(dividingBy: BlockMarks.perBlock)
    return min(
      tokens - 1,
      block * blockTokens + (2 * place + 1) * blockTokens / (2 * BlockMarks.perBlock))
  }

  func checkShapes(tokens: Int) {
    let blocks = PackedPattern.blocks(tokens: tokens, blockTokens: blockTokens)
    // Not a precondition: an optimised build would trap without the sentence.
    guard
      clusters.elementType == .int32, clusters.isContiguous,
      clusters.rows == blocks, clusters.columns == BlockMarks.perBlock
    else {
      fatalError(
        "BlockMarks: \(clusters) for \(tokens) tokens in blocks of \(blockTokens)")
    }
  }
}
