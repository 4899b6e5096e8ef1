public import Compute

/// Products 4 and 6 through wgmma, where the GPU and the shapes allow it; blocks in order, unless
/// the backend need not be reproducible.
extension CUDABackend {
  /// Chains of aligned lists where sums may be carried, as long as the carrying kernel's spans.
  public func alignment(of pattern: PackedPattern, width: Int) -> Int? {
    guard
      storage == .bfloat16, suitsHopper(pattern, width: width),
      pattern.keptColumns <= AlignColumns.maximumKept
    else { return nil }
    return isReproducible
      ? runs(of: pattern, width: width).carry.span
      : carry(of: pattern, width: width).span
  }

  /// What `run` asks for, in kernels of its own or for the detour through the library.
  public func workBytes(_ operation: PackedWeightGradient) throws(ComputeError) -> Int {
    let gradient = operation.weightGradient
    let bytes: Int
    if suitsHopper(operation) {
      let work = work(of: operation)
      bytes = work.rowBytes + work.sumBytes
    } else {
      bytes =
        denseWorkBytes(
          tokens: operation.rows.rows, neurons: gradient.rows, matrices: 1,
          operation.packed.elementType) ?? 0
    }
    return bytes == 0 ? 0 : DeviceMemory.scratchBytes(for: bytes)
  }

  /// Runs the product; false when the plain kernel has to.
  ///
  /// The kernel wants the rows in the order of positions: a routed pattern costs one gather.
  func runOnHopper(_ operation: PackedWeightGradient) throws(ComputeError) -> Bool {
    let pattern = operation.pattern
    let tokens = operation.rows
    guard suitsHopper(operation) else { return false }
    let work = work(of: operation)
    let bytes = work.rowBytes + work.sumBytes
    let base = bytes > 0 ? try memory.scratch(bytes: bytes) : 0
    var rows = tokens
    if let order = pattern.order {
      rows = TensorView(
        address: base, rows: tokens.rows, columns: tokens.columns, elementType: .bfloat16)
      try run(GatherRows(source: tokens, rows: order, output: rows))
    }
    let scratch = base + UInt64(work.rowBytes)
    switch work.method {
    case .anyOrder: try addInAnyOrder(operation, rows: rows)
    case .runs(let cut): try addRunsInOrder(operation, rows: rows, cut: cut, scratch: scratch)
    case .stretches(let neurons):
      try addInOrder(operation, rows: rows, neurons: neurons, starts: scratch)
    }
    return true
  }

  private func suitsHopper(_ operation: PackedWeightGradient) -> Bool {
    let gradient = operation.weightGradient
    return suitsHopper(
      [operation.packed, operation.rows], operation.pattern, width: gradient.columns)
      && gradient.address % 16 == 0 && gradient.stride % 4 == 0
  }

  /// One of three kernels.
  private enum GradientMethod {
    /// Runs, added where they end.
    case anyOrder
    /// Runs, stored and then added in order.
    case runs(HopperRuns)
    /// Stretches of ascending lists, whose sums a thread block keeps for so many neurons.
    case stretches(neurons: Int)
  }

  /// The kernel to use, and bytes of work memory: for gathered rows, and for its own.
  private func work(
    of operation: PackedWeightGradient
  ) -> (method: GradientMethod, rowBytes: Int, sumBytes: Int) {
    let pattern = operation.pattern
    let gradient = operation.weightGradient
    let carries = pattern.keptColumns <= AlignColumns.maximumKept
    precondition(carries || pattern.isAscending, "aligned lists of \(pattern.keptColumns)")
    let rowBytes = pattern.order == nil ? 0 : operation.rows.rows * operation.rows.columns * 2
    if carries && !isReproducible { return (.anyOrder, rowBytes, 0) }
    if !pattern.isAscending {
      let cut = runs(of: pattern, width: gradient.columns)
      return (.runs(cut), rowBytes, cut.scratchBytes(neurons: gradient.rows))
    }
    let neurons = HopperTiles.neurons(all: gradient.rows, kept: pattern.keptColumns)
    let ranges = (gradient.rows + neurons - 1) / neurons
    return (.stretches(neurons: neurons), rowBytes, pattern.columns.rows * (ranges + 1) * 2)
  }

  /// Stretches of lists, whose sums a thread block keeps to itself.
  private func addInOrder(
    _ operation: PackedWeightGradient, rows: TensorView, neurons: Int, starts: UInt64
  ) throws(ComputeError) {
    let gradient = operation.weightGradient
    let pattern = operation.pattern
    let ranges = (gradient.rows + neurons - 1) / neurons
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
}
