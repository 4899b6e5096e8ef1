/// How a product of kept neurons is cut for `hopper/gather_product.cuh`: a pure choice.
package struct HopperTiles: Equatable {
  /// Threads of a block.
  package static let threads = 384
  /// Shared memory of a block.
  package static let sharedBytes = 229504

  /// Columns of a tile: 256, or 192 where that leaves less of the last tile empty, or 128 where there are no more.
  package let columns: Int
  /// Blocks that share 128 tokens and multicast them: 1 or 2.
  package let cluster: Int
  /// Thread blocks, a multiple of the cluster.
  package let grid: Int
  /// Tiles of columns that are finished for all tokens before the next ones.
  package let group: Int

  /// Two blocks share tokens when the number of tiles of columns is even; rows that the kernel
  /// gathers itself cannot be shared. Two tiles of columns at a time keep rows and weights in the cache;
  /// packed values that no blocks share stay there for all tiles of columns whose weights fit 8 MiB.
  ///
  /// - Parameter packedNeurons: f where W's rows stand along the contraction (products 2 and 5), which
  ///   the kernel has tiles of 256 columns for; nil elsewhere.
  package init(
    tokens: Int, columns: Int, packedNeurons: Int? = nil, gathersRows: Bool,
    multiprocessors: Int
  ) {
    func tiles(of width: Int) -> Int { (columns + width - 1) / width }
    if packedNeurons != nil {
      self.columns = 256
    } else if columns <= 128 {
      self.columns = 128
    } else {
      self.columns = tiles(of: 192) * 192 < tiles(of: 256) * 256 ? 192 : 256
    }
    let wide = tiles(of: self.columns)
    cluster = !gathersRows && wide % 2 == 0 && multiprocessors >= 2 ? 2 : 1
    let columnTiles = wide / cluster
    let tiles = (tokens + 127) / 128 * columnTiles
    grid = min(tiles, multiprocessors / cluster) * cluster
    let fitting = packedNeurons.map { (8 << 20) / ($0 * 512) } ?? 1
    group = min(cluster == 2 || gathersRows ? 2 : max(1, fitting), columnTiles)
  }

  /// Neurons of a block of `hopper/weight_gradient.cu`: as many as its shared memory holds, and few
  /// enough that a token block rarely keeps more than 64 of them.
  package static func neurons(all: Int, kept: Int) -> Int {
    max(8, min(448, 52 * all / max(1, kept) / 8 * 8))
  }
}
