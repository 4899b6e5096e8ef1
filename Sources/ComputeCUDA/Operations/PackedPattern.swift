import Compute

extension PackedPattern {
  /// The kernels' `Pattern`.
  func words(tokens: Int) -> [UInt64] {
    [
      order?.address ?? 0, columns.address, UInt64(columns.stride), UInt64(blockTokens),
      UInt64(tokens), UInt64(keptColumns),
    ]
  }

  /// Tiles of 64 positions in a block.
  var tilesPerBlock: Int { (blockTokens + 63) / 64 }
}
