/// How a product with 2:4 sparse weights is cut for `hopper/two_four_product.cu`: a pure choice.
package struct TwoFourTiles: Equatable {
  /// Shared memory of a block.
  package static let sharedBytes = 226384
  /// Compressed values and positions of 128 neurons x 64 columns.
  package static let imageBytes = 9216
  /// Tokens of a tile, and neurons of the tiles of two blocks that share them.
  package static let side = 256

  /// Thread blocks, a multiple of two.
  package let grid: Int
  /// Tiles of neurons that are finished for all tokens before the next ones.
  package let group = 8
  /// Whether the product repays the compression of its weights.
  package let isWorthIt: Bool

  /// As many pairs of blocks as there are tiles, or as fit the GPU.
  package init(tokens: Int, neurons: Int, multiprocessors: Int) {
    let side = TwoFourTiles.side
    let tiles = ((tokens + side - 1) / side) * ((neurons + side - 1) / side)
    grid = min(tiles, multiprocessors / 2) * 2
    isWorthIt = tokens >= 2048
  }
}
