public import Compute

/// Products 4 and 6 through wgmma, where the GPU and the shapes allow it; blocks in order, unless
/// the backend need not be reproducible.
extension CUDABackend {
  /// Chains of aligned lists where sums may be carried: see `hopper/weight_gradient_carry.cu`.
  public func alignment(of pattern: PackedPattern, width: Int) -> Int? {
    guard
      !isReproducible, storage == .bfloat16, suitsHopper(pattern, width: width),
      pattern.keptColumns <= AlignColumns.maximumKept
    else { return nil }
    return HopperCarry.chain
  }

  /// Runs the product; false when the plain kernel has to.
  ///
  /// The kernel wants the rows in the order of positions: a routed pattern costs one gather.
  func runOnHopper(_ operation: PackedWeightGradient) throws(ComputeError) -> Bool {
    let gradient = operation.weightGradient
    let pattern = operation.pattern
    let tokens = operation.rows
    guard
      suitsHopper([operation.packed, tokens], pattern, width: gradient.columns),
      gradient.address % 16 == 0, gradient.stride % 4 == 0
    else { return false }
    var rows = tokens
    let inAnyOrder = !isReproducible && pattern.keptColumns <= AlignColumns.maximumKept
    precondition(inAnyOrder || pattern.isAscending, "aligned lists, and sums in order")
    let blocks = pattern.columns.rows
    let neurons = HopperTiles.neurons(all: gradient.rows, kept: pattern.keptColumns)
    let ranges = (gradient.rows + neurons - 1) / neurons
    let rowBytes = pattern.order == nil ? 0 : tokens.rows * tokens.columns * 2
    let startBytes = inAnyOrder ? 0 : blocks * (ranges + 1) * 2
    let base = rowBytes + startBytes > 0 ? try memory.scratch(bytes: rowBytes + startBytes) : 0
    if let order = pattern.order {
      rows = TensorView(
        address: base, rows: tokens.rows, columns: tokens.columns, elementType: .bfloat16)
      try run(GatherRows(source: tokens, rows: order, output: rows))
    }
    if inAnyOrder {
      try addInAnyOrder(operation, rows: rows)
    } else {
      try addInOrder(
        operation, rows: rows, neurons: neurons, ranges: ranges, starts: base + UInt64(rowBytes))
    }
    return true
  }

  /// Stretches of lists, whose sums a thread block keeps to itself.
  private func addInOrder(
    _ operation: PackedWeightGradient, rows: TensorView, neurons: Int, ranges: Int,
    starts: UInt64
  ) throws(ComputeError) {
    let gradient = operation.weightGradient
    let pattern = operation.pattern
    var search = KernelArguments()
    search.addWithStride(pattern.columns)
    search.add(pattern.keptColumns)
    search.add(neurons)
    search.add(ranges)
    search.add(starts)
    let file = "hopper/weight_gradient.cu"
    try launch(
      file, "list_starts", .bfloat16, grid: Grid(x: pattern.columns.rows), threads: 128, search)
    var arguments = KernelArguments()
    arguments.add(words: try device.tensorMap(operation.packed, boxRows: 128))
    arguments.add(words: try device.tensorMap(rows, boxRows: 128))
    arguments.addWithStride(gradient)
    arguments.addWithStride(pattern.columns)
    arguments.add(starts)
    arguments.add(neurons)
    arguments.add(gradient.rows)
    arguments.add(gradient.columns)
    arguments.add(rows.rows)
    arguments.add(pattern.blockTokens)
    let items = ranges * ((gradient.columns + 63) / 64)
    try launch(
      file, "weight_gradient", .bfloat16, grid: Grid(x: min(items, device.multiprocessors)),
      threads: HopperTiles.threads, sharedBytes: 213040, arguments)
  }

  /// Slots that carry their sums from block to block, added by atomics when their neuron changes.
  private func addInAnyOrder(
    _ operation: PackedWeightGradient, rows: TensorView
  ) throws(ComputeError) {
    let gradient = operation.weightGradient
    let pattern = operation.pattern
    let items = HopperCarry(
      blocks: pattern.columns.rows, kept: pattern.keptColumns, columns: gradient.columns,
      multiprocessors: device.multiprocessors)
    var arguments = KernelArguments()
    arguments.add(words: try device.tensorMap(operation.packed, boxRows: 64))
    arguments.add(words: try device.tensorMap(rows, boxRows: 64))
    arguments.addWithStride(gradient)
    arguments.addWithStride(pattern.columns)
    arguments.add(pattern.keptColumns)
    arguments.add(gradient.columns)
    arguments.add(rows.rows)
    arguments.add(pattern.blockTokens)
    arguments.add(items.span)
    arguments.add(items.group)
    try launch(
      "hopper/weight_gradient_carry.cu", "weight_gradient_carry_\(items.cluster)", .bfloat16,
      grid: Grid(x: items.grid), threads: HopperTiles.threads,
      sharedBytes: HopperCarry.sharedBytes, arguments)
  }
}
