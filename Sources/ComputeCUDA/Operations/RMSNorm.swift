public import Compute

extension CUDABackend {
  /// A block or a warp per row, which it reads once where a thread can take 16 bytes. Weights are float32.
  public func run(_ operation: RMSNorm.Forward) throws(ComputeError) {
    operation.checkShapes()
    precondition(operation.weight.elementType == .float32, "norm weights are float32")
    var arguments = KernelArguments()
    arguments.addWithStride(operation.input)
    arguments.add(operation.weight)
    arguments.addWithStride(operation.output)
    arguments.add(operation.inverseRMS)
    arguments.add(operation.input.columns)
    arguments.add(operation.epsilon)
    arguments.add(optional: operation.order)
    let rows = operation.input.rows
    guard
      let threads = rowThreads(
        operation.input, operation.output, weight: operation.weight)
    else {
      try launch(
        "RMSNorm.cu", "forward", operation.input.elementType, grid: Grid(x: rows), arguments,
        for: operation)
      return try copyInEightBits(operation)
    }
    let isNarrow = threads <= 128
    arguments.add(rows)
    var name = isNarrow ? "forward_narrow" : "forward_packed"
    if let copy = operation.eightBitCopy, takesEightBitCopies(of: operation.output) {
      name = isNarrow ? "forward_narrow_eight_bit" : "forward_eight_bit"
      arguments.add(copy.rows)
      arguments.add(copy.step)
    }
    try launch(
      "RMSNorm.cu", name, operation.input.elementType,
      grid: isNarrow ? Grid(x: (rows + 7) / 8) : rowGrid(rows, threads: threads),
      threads: isNarrow ? 256 : threads, arguments, for: operation)
  }

  /// The copy that is wanted of an output, from that, where its rows can be read.
  private func copyInEightBits(_ operation: RMSNorm.Forward) throws(ComputeError) {
    guard let copy = operation.eightBitCopy, takesEightBitCopies(of: operation.output),
      let rows = SampleTokens.view(of: operation.output, blockTokens: copy.step, samples: 1),
      isPacked(rows)
    else { return }
    try quantize(rows, to: copy.rows)
  }

  /// Threads of a block that reads a row of 16-byte packs at once; nil when views do not allow it.
  private func rowThreads(_ views: TensorView..., weight: TensorView) -> Int? {
    guard views.allSatisfy({ isPacked($0) }), weight.address % 16 == 0 else { return nil }
    return threads(row: weight.columns, views[0].elementType)
  }

  /// Chunks of rows by a block each; the weights' gradients are summed per chunk, then over chunks.
  private func runPacked(_ operation: RMSNorm.Backward, threads: Int) throws(ComputeError) {
    let input = operation.input
    let rowsPerChunk = max(4, (input.rows + 1023) / 1024)
    let chunks = (input.rows + rowsPerChunk - 1) / rowsPerChunk
    let partial = try memory.scratch(bytes: chunks * input.columns * 4)
    var arguments = rowArguments(operation)
    arguments.add(partial)
    arguments.add(input.rows)
    arguments.add(input.columns)
    arguments.add(rowsPerChunk)
    arguments.add(optional: operation.copy?.order)
    arguments.addWithStride(optional: operation.copy?.rows)
    try launch(
      "RMSNorm.cu", "backward_packed", input.elementType, grid: Grid(x: chunks),
      threads: threads, arguments, for: operation)
    try sumWeights(operation, partial: partial, chunks: chunks)
  }

  /// What both kernels of the input's gradient begin with.
  private func rowArguments(_ operation: RMSNorm.Backward) -> KernelArguments {
    var arguments = KernelArguments()
    arguments.addWithStride(operation.outputGradient)
    arguments.addWithStride(operation.input)
    arguments.add(operation.weight)
    arguments.add(operation.inverseRMS)
    arguments.addWithStride(operation.inputGradient)
    return arguments
  }

  private func sumWeights(
    _ operation: RMSNorm.Backward, partial: UInt64, chunks: Int
  ) throws(ComputeError) {
    var total = KernelArguments()
    total.add(partial)
    total.add(chunks)
    total.add(operation.input.columns)
    total.add(operation.weightGradient)
    try launch(
      "RMSNorm.cu", "weight_sum", operation.input.elementType,
      grid: Grid(x: (operation.input.columns + 31) / 32), threads: 1024, total)
  }

  /// A block per row for the input; weight gradients are summed per chunk of rows, then over chunks. A
  /// copy is written on the way where rows are read once.
  public func run(_ operation: RMSNorm.Backward) throws(ComputeError) {
    operation.checkShapes()
    let input = operation.input
    guard input.rows > 0 else { return }
    if let threads = rowThreads(
      input, operation.outputGradient, operation.inputGradient,
      operation.copy?.rows ?? operation.inputGradient, weight: operation.weight)
    {
      return try runPacked(operation, threads: threads)
    }
    let rowsPerChunk = max(16, (input.rows + 255) / 256)
    let chunks = (input.rows + rowsPerChunk - 1) / rowsPerChunk
    let partial = try memory.scratch(bytes: chunks * input.columns * 4)
    var sums = KernelArguments()
    sums.addWithStride(operation.outputGradient)
    sums.addWithStride(input)
    sums.add(operation.inverseRMS)
    sums.add(partial)
    sums.add(input.rows)
    sums.add(input.columns)
    sums.add(rowsPerChunk)
    try launch(
      "RMSNorm.cu", "weight_partial", input.elementType,
      grid: Grid(x: (input.columns + 255) / 256, y: chunks), sums)
    try sumWeights(operation, partial: partial, chunks: chunks)
    var arguments = rowArguments(operation)
    arguments.add(input.columns)
    try launch(
      "RMSNorm.cu", "backward", input.elementType, grid: Grid(x: input.rows), arguments,
      for: operation)
    if let copy = operation.copy {
      try run(
        GatherRows(source: operation.inputGradient, rows: copy.order, output: copy.rows))
    }
  }
}
