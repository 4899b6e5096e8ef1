/// How a dense product is cut for `hopper/dense_product.cu`: a pure choice.
package struct DenseTiles: Equatable {
  /// Rows of the output that a thread block owns.
  package static let rows = 128
  /// Columns of the output that a thread block owns.
  package static let columns = 256
  /// Rows that are stored at once.
  package static let storedRows = 16

  /// Blocks that share 256 rows of the right factor.
  package let cluster = 2
  /// Thread blocks, a multiple of the cluster.
  package let grid: Int
  /// Tiles of columns that are finished for all rows before the next ones, so that what the
  /// multiprocessors read at a time fits the L2 cache; measured with `dense_products.py --variants`.
  package let group: Int

  /// As many blocks as there are tiles, or as fit the GPU.
  package init(rows: Int, columns: Int, multiprocessors: Int) {
    let rowTiles = (rows + Self.rows * cluster - 1) / (Self.rows * cluster)
    let tiles = rowTiles * ((columns + Self.columns - 1) / Self.columns)
    group = rowTiles < 16 ? 4 : 16
    grid = min(tiles, multiprocessors / cluster) * cluster
  }
}
