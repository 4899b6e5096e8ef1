import Compute

/// Products 4 and 6 on lists that were aligned: sums are carried from block to block, see
/// `hopper/weight_gradient_carry.cu`.
extension CUDABackend {
  /// Adds what a slot carried by atomics, when its neuron changes.
  func addInAnyOrder(
    _ operation: PackedWeightGradient, rows: TensorView
  ) throws(ComputeError) {
    let gradient = operation.weightGradient
    let pattern = operation.pattern
    try carry(
      "carry_add", carry(of: pattern, width: gradient.columns), operation.packed, rows, pattern,
      to: gradient)
  }

  /// How `addInAnyOrder` is cut.
  func carry(of pattern: PackedPattern, width: Int) -> HopperCarry {
    HopperCarry(
      blocks: pattern.columns.rows, kept: pattern.keptColumns, columns: width,
      clusters: carryClusters)
  }

  /// How `addRunsInOrder` is cut.
  func runs(of pattern: PackedPattern, width: Int) -> HopperRuns {
    HopperRuns(
      blocks: pattern.columns.rows, kept: pattern.keptColumns, width: width,
      clusters: carryClusters)
  }

  /// Stores what a slot carried, its runs, and then adds each neuron's in the order of blocks.
  ///
  /// - Parameter scratch: `cut.scratchBytes` of memory.
  func addRunsInOrder(
    _ operation: PackedWeightGradient, rows: TensorView, cut: HopperRuns, scratch: UInt64
  ) throws(ComputeError) {
    let gradient = operation.weightGradient
    let v = operation.pattern.blockTokens
    let lists = operation.pattern.columns
    for first in stride(from: 0, to: lists.rows, by: cut.blocks) {
      var pattern = operation.pattern
      pattern.columns = lists.rows(first..<min(lists.rows, first + cut.blocks))
      let blocks = pattern.columns.rows
      let tokens = first * v..<min(rows.rows, (first + blocks) * v)
      let ends = TensorView(
        address: scratch + UInt64(cut.runBytes), rows: gradient.rows, columns: blocks,
        elementType: .uint16)
      try noteRunEnds(pattern, span: cut.carry.span, ends: ends)
      for column in stride(from: 0, to: gradient.columns, by: cut.columns) {
        let columns = column..<min(gradient.columns, column + cut.columns)
        let runs = TensorView(
          address: scratch, rows: blocks * pattern.keptColumns, columns: columns.count)
        try carry(
          "carry_store", cut.carry, operation.packed.rows(tokens),
          rows.rows(tokens).columns(columns), pattern, to: runs)
        try addRuns(runs, ends: ends, pattern, to: gradient.columns(columns))
      }
    }
  }

  /// How many clusters of one, two and three blocks of the kernel run at once.
  private var carryClusters: [Int] {
    if let known = clustersOfCarry { return known }
    let file = KernelUnit("hopper/weight_gradient_carry.cu", isBFloat16: true)
    let counts = [(1, "1_1"), (2, "2_1"), (3, "3_1")].map { size, name -> Int in
      guard
        let function = try? kernels.function(file, "carry_add_\(name)"),
        (try? kernels.allowShared(function, bytes: HopperCarry.sharedBytes)) != nil
      else { return 0 }
      let count = try? kernels.activeClusters(
        function, size: size, threads: HopperTiles.threads, sharedBytes: HopperCarry.sharedBytes)
      return count ?? 0
    }
    // Blocks alone always run: what is wrong shows at the launch.
    let all = [max(counts[0], device.multiprocessors)] + counts[1...]
    clustersOfCarry = all
    return all
  }

  private func carry(
    _ name: String, _ cut: HopperCarry, _ packed: TensorView, _ rows: TensorView,
    _ pattern: PackedPattern, to output: TensorView
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.add(words: try device.tensorMap(packed, boxRows: 64))
    arguments.add(words: try device.tensorMap(rows, boxRows: 64))
    arguments.addWithStride(output)
    arguments.addWithStride(pattern.columns)
    arguments.add(pattern.keptColumns)
    arguments.add(rows.columns)
    arguments.add(rows.rows)
    arguments.add(pattern.blockTokens)
    arguments.add(cut.span)
    arguments.add(cut.group)
    let grid = cut.grid(
      blocks: pattern.columns.rows, kept: pattern.keptColumns, columns: rows.columns)
    try launch(
      "hopper/weight_gradient_carry.cu", "\(name)_\(cut.slotBlocks)_\(cut.columnBlocks)",
      .bfloat16, grid: Grid(x: grid), threads: HopperTiles.threads,
      sharedBytes: HopperCarry.sharedBytes, arguments)
  }

  private func noteRunEnds(
    _ pattern: PackedPattern, span: Int, ends: TensorView
  ) throws(ComputeError) {
    try zero(ends)
    var arguments = KernelArguments()
    arguments.addWithStride(pattern.columns)
    arguments.add(pattern.keptColumns)
    arguments.add(ends.columns)
    arguments.add(span)
    arguments.add(ends)
    try launch(
      "hopper/weight_gradient_runs.cu", "run_ends", .bfloat16, grid: Grid(x: ends.columns),
      arguments)
  }

  private func addRuns(
    _ runs: TensorView, ends: TensorView, _ pattern: PackedPattern, to gradient: TensorView
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.addWithStride(gradient)
    arguments.addWithStride(runs)
    arguments.add(ends)
    arguments.add(gradient.rows)
    arguments.add(ends.columns)
    arguments.add(pattern.keptColumns)
    arguments.add(gradient.columns)
    try launch(
      "hopper/weight_gradient_runs.cu", "add_runs", .bfloat16,
      grid: Grid(x: (gradient.rows + 7) / 8, y: (gradient.columns + 255) / 256), arguments)
  }
}
