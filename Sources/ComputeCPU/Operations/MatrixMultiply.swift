public import Compute
import CPUKernels

extension CPUBackend {
  /// Products are cut into tiles of the output, each one call of the matrix library.
  ///
  /// Tile sizes depend on the problem alone, so the bits do not depend on the number of threads;
  /// the epilogue works on a tile while it is in cache.
  public func run(_ operation: MatrixMultiply) throws(ComputeError) {
    operation.checkShapes()
    let m = operation.output.rows
    let n = operation.output.columns
    guard m > 0 && n > 0 else { return }
    let tiles = ProductTiles(rows: m, columns: n)
    scratch.reserve(bytes: MatrixLibrary.workspaceBytes)
    rows.forEachChunk(tiles.count) { lane, chunk in
      multiply(operation, tile: tiles[chunk], workspace: scratch[lane])
    }
  }

  private func multiply(
    _ operation: MatrixMultiply, tile: ProductTiles.Tile, workspace: UnsafeMutableRawPointer
  ) {
    let output = operation.output.rows(tile.rows).columns(tile.columns)
    let left =
      operation.transposeLeft
      ? operation.left.columns(tile.rows) : operation.left.rows(tile.rows)
    let right =
      operation.transposeRight
      ? operation.right.rows(tile.columns) : operation.right.columns(tile.columns)
    let addend = operation.addend.map { $0.rows(tile.rows).columns(tile.columns) }
    let isPlain = operation.epilogue == .none
    // Without an epilogue the library itself adds; with one, the addend must wait for it.
    if isPlain, let addend, addend != output { copyTile(addend, to: output) }
    precondition(
      isPlain || addend != output, "MatrixMultiply: an epilogue cannot add to its own output")
    library.sgemm(
      transposeA: operation.transposeLeft, transposeB: operation.transposeRight,
      m: tile.rows.count, n: tile.columns.count, k: operation.depth, alpha: operation.alpha,
      a: left.float, lda: left.stride, b: right.float, ldb: right.stride,
      beta: isPlain && addend != nil ? 1 : 0, c: output.float, ldc: output.stride,
      workspace: workspace)
    guard !isPlain else { return }
    for row in 0..<output.rows {
      let values = output.float + row * output.stride
      switch operation.epilogue {
      case .none: break
      case .squaredReLU: krait_squared_relu(values, output.columns)
      case .timesTwoSqrt(let activation):
        let tileActivation = activation.rows(tile.rows).columns(tile.columns)
        krait_times_two_sqrt(
          values, tileActivation.float + row * activation.stride, output.columns)
      }
      if let addend { krait_add(values, addend.float + row * addend.stride, output.columns) }
    }
  }

  private func copyTile(_ source: TensorView, to destination: TensorView) {
    for row in 0..<source.rows {
      (destination.float + row * destination.stride)
        .update(from: source.float + row * source.stride, count: source.columns)
    }
  }
}

/// A cut of a product's output into tiles; a pure function of its size.
struct ProductTiles {
  struct Tile {
    let rows: Range<Int>
    let columns: Range<Int>
  }

  private let rows: Int
  private let columns: Int
  private let tileRows: Int
  private let tileColumns: Int

  /// Tiles of at most 1024 x 1024, halved while there are fewer than 8 of them and they stay at
  /// least 128 on a side: enough to share among lanes, large enough to pack operands for. A
  /// library packs both operands anew for every tile, so fewer, larger tiles pack less.
  init(rows: Int, columns: Int) {
    var height = min(rows, 1024)
    var width = min(columns, 1024)
    func tiles() -> Int {
      (rows + height - 1) / height * ((columns + width - 1) / width)
    }
    while tiles() < 8 {
      if width >= height && width >= 256 {
        width = (width / 2 + 15) / 16 * 16
      } else if height >= 256 {
        height = (height / 2 + 7) / 8 * 8
      } else {
        break
      }
    }
    self.rows = rows
    self.columns = columns
    tileRows = height
    tileColumns = width
  }

  private var across: Int { (columns + tileColumns - 1) / tileColumns }

  /// The number of tiles.
  var count: Int { (rows + tileRows - 1) / tileRows * across }

  /// Tiles row by row.
  subscript(_ index: Int) -> Tile {
    let (down, right) = index.quotientAndRemainder(dividingBy: across)
    return Tile(
      rows: down * tileRows..<min((down + 1) * tileRows, rows),
      columns: right * tileColumns..<min((right + 1) * tileColumns, columns))
  }
}
