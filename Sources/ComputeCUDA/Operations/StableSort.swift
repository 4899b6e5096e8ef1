import Compute

extension CUDABackend {
  /// Addresses of sorted keys and of the positions they came from; valid until the next use of
  /// work memory.
  struct SortedKeys {
    let keys: UInt64
    let order: UInt64
  }

  /// Sorts 16-bit keys below `limit` in one launch.
  ///
  /// - Parameters:
  ///   - keys: their address, a multiple of 16.
  ///   - starts: where positions of every key value begin in the output.
  func countingSort(
    _ keys: UInt64, count: Int, limit: Int, _ tiles: CountingSortTiles, starts: TensorView,
    output: TensorView
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.add(keys)
    arguments.add(count)
    arguments.add(limit)
    arguments.add(tiles.each)
    arguments.add(tiles.vectors)
    arguments.add(starts)
    arguments.add(output)
    try launch(
      "StableSort.cu", "counting_sort", .float32, grid: Grid(x: tiles.blocks), threads: 1024,
      sharedBytes: tiles.sharedBytes, arguments)
  }

  /// Sorts `count` unsigned keys below `limit`, equal ones in their order.
  ///
  /// - Parameters:
  ///   - keys: address of the keys in `scratch`'s first part, see `sortScratch`.
  ///   - output: where the positions of the last pass go; nil for scratch.
  func sort(
    _ keys: UInt64, count: Int, limit: Int, scratch: UInt64, output: TensorView?
  ) throws(ComputeError) -> SortedKeys {
    let bytes = sortBytes(count)
    let tiles = (count + 1023) / 1024
    var bits = 8
    while bits < 32 && limit > 1 << bits { bits += 8 }
    let passes = bits / 8
    let orders = [scratch, scratch + UInt64(bytes)]
    let otherKeys = scratch + UInt64(2 * bytes)
    let counts = scratch + UInt64(3 * bytes)
    var number = KernelArguments()
    number.add(orders[0])
    number.add(count)
    try launch("StableSort.cu", "number", .float32, grid: .strided(count), number)
    var from = SortedKeys(keys: keys, order: orders[0])
    for pass in 0..<passes {
      let isLast = pass == passes - 1
      let to = SortedKeys(
        keys: from.keys == keys ? otherKeys : keys,
        order: isLast ? output?.address ?? orders[(pass + 1) % 2] : orders[(pass + 1) % 2])
      var count1 = KernelArguments()
      count1.add(from.keys)
      count1.add(count)
      count1.add(8 * pass)
      count1.add(counts)
      try launch("StableSort.cu", "count_digits", .float32, grid: Grid(x: tiles), count1)
      try scan(counts, count: 256 * tiles)
      var scatter = KernelArguments()
      scatter.add(from.keys)
      scatter.add(from.order)
      scatter.add(count)
      scatter.add(8 * pass)
      scatter.add(counts)
      scatter.add(to.keys)
      scatter.add(to.order)
      try launch("StableSort.cu", "scatter", .float32, grid: Grid(x: tiles), scatter)
      from = to
    }
    return from
  }

  /// Exclusive sums of int32 counts, in place.
  func scan(_ counts: UInt64, count: Int) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.add(counts)
    arguments.add(count)
    try launch("StableSort.cu", "scan", .float32, grid: Grid(x: 1), threads: 1024, arguments)
  }

  /// Bytes of one array of `count` keys or positions.
  private func sortBytes(_ count: Int) -> Int { DeviceMemory.partBytes(count * 4) }

  /// Bytes of scratch memory that a sort needs.
  func sortScratchBytes(count: Int) -> Int {
    3 * sortBytes(count) + 256 * ((count + 1023) / 1024) * 4
  }
}
