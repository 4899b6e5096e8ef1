import Compute

extension CUDABackend {
  /// Elements of 16 bytes: what the kernels whose names end in `_packed` load at a time.
  func packSize(_ type: ElementType) -> Int { 16 / type.byteCount }

  /// Whether every row of every view starts at a multiple of 16 bytes and is a multiple of them long.
  func isPacked(_ views: TensorView...) -> Bool {
    views.allSatisfy {
      let pack = packSize($0.elementType)
      return $0.address % 16 == 0 && $0.stride % pack == 0 && $0.columns % pack == 0
    }
  }

  /// Blocks that go over rows in turns: as many as are on the GPU at once, with 56 registers a
  /// thread. Every block more costs time.
  func rowGrid(_ rows: Int, threads: Int) -> Grid {
    Grid(x: min(rows, device.multiprocessors * max(1, 1152 / threads)))
  }

  /// Threads of a block that reads a row of so many elements at once, in whole warps; nil when the
  /// row is too long for one block.
  func threads(row columns: Int, _ type: ElementType) -> Int? {
    let threads = ((columns + packSize(type) - 1) / packSize(type) + 31) / 32 * 32
    return threads <= 1024 ? max(32, threads) : nil
  }
}
