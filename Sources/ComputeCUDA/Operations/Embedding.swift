public import Compute

extension CUDABackend {
  /// Copies one row per token; an id outside of the table gives NaN.
  public func run(_ operation: Embedding.Forward) throws(ComputeError) {
    operation.checkShapes()
    var arguments = KernelArguments()
    arguments.add(operation.tokens)
    arguments.addWithStride(operation.table)
    arguments.add(operation.table.rows)
    arguments.addWithStride(operation.output)
    arguments.add(operation.output.columns)
    let packed = isPacked(operation.table, operation.output)
    if packed { arguments.add(operation.output.rows) }
    let threads =
      packed
      ? min(256, threads(row: operation.output.columns, operation.table.elementType) ?? 256) : 256
    try launch(
      "Embedding.cu", packed ? "forward_packed" : "forward", operation.table.elementType,
      grid: packed
        ? rowGrid(operation.output.rows, threads: threads) : Grid(x: operation.output.rows),
      threads: threads, arguments, for: operation)
  }

  /// Sorts tokens by id, then adds the rows of each id: in token order, or, where they replace what
  /// was there, whole chunks of sorted tokens first.
  public func run(_ operation: Embedding.Backward) throws(ComputeError) {
    operation.checkShapes()
    let table = operation.tableGradient
    precondition(
      table.elementType == .float32
        || operation.replaces && table.elementType == operation.outputGradient.elementType,
      "gradients that are added to are float32")
    let count = operation.tokens.count
    guard count > 0 else {
      if operation.replaces { try zero(table) }
      return
    }
    // Sorting alternates between two key arrays; the tokens themselves must survive.
    let keyBytes = DeviceMemory.partBytes(count * 4)
    let sortBytes = DeviceMemory.partBytes(sortScratchBytes(count: count))
    let chunks = count / CUDABackend.chunk
    let chunkBytes = operation.replaces ? DeviceMemory.partBytes(chunks * table.columns * 4) : 0
    let spanBytes = operation.replaces ? table.rows * 8 : 0
    let base = try memory.scratch(bytes: keyBytes + sortBytes + chunkBytes + spanBytes)
    let keys = TensorView(address: base, rows: 1, columns: count, elementType: .int32)
    try copy(from: operation.tokens, to: keys)
    let sorted = try sort(
      base, count: count, limit: operation.tableGradient.rows, scratch: base + UInt64(keyBytes),
      output: nil)
    if operation.replaces {
      let free = base + UInt64(keyBytes + sortBytes)
      return try replace(
        operation, sorted, chunks: TensorView(address: free, rows: chunks, columns: table.columns),
        spans: TensorView(
          address: free + UInt64(chunkBytes), rows: 1, columns: 2 * table.rows,
          elementType: .int32))
    }
    var arguments = KernelArguments()
    arguments.add(sorted.keys)
    arguments.add(sorted.order)
    arguments.add(count)
    arguments.addWithStride(operation.outputGradient)
    arguments.addWithStride(operation.tableGradient)
    arguments.add(operation.tableGradient.rows)
    arguments.add(operation.tableGradient.columns)
    try launch(
      "Embedding.cu", "backward", operation.outputGradient.elementType,
      grid: Grid(x: count, y: (operation.tableGradient.columns + 255) / 256), arguments,
      for: operation)
  }

  /// `CHUNK` of the kernels.
  private static var chunk: Int { 32 }

  /// A block per row of the table, so that every row is written once; sums of whole chunks of tokens
  /// of one id come first, so that no block adds thousands of rows.
  private func replace(
    _ operation: Embedding.Backward, _ sorted: SortedKeys, chunks: TensorView, spans: TensorView
  ) throws(ComputeError) {
    let table = operation.tableGradient
    let count = operation.tokens.count
    try zero(spans)
    var marks = KernelArguments()
    marks.add(sorted.keys)
    marks.add(count)
    marks.add(spans)
    marks.add(table.rows)
    try launch("Embedding.cu", "mark_spans", .float32, grid: .items(count), marks)
    let gradient = operation.outputGradient
    let type = gradient.elementType
    let packed =
      isPacked(gradient) && table.address % 16 == 0
      && table.stride % packSize(table.elementType) == 0
    let blockThreads = packed ? min(256, threads(row: table.columns, type) ?? 256) : 256
    if packed {
      var sums = KernelArguments()
      sums.add(sorted.keys)
      sums.add(sorted.order)
      sums.addWithStride(gradient)
      sums.add(chunks)
      sums.add(table.columns)
      try launch(
        "Embedding.cu", "chunk_sums", type, grid: Grid(x: chunks.rows), threads: blockThreads,
        sums)
    }
    var arguments = KernelArguments()
    arguments.add(sorted.order)
    arguments.add(spans)
    arguments.addWithStride(gradient)
    arguments.addWithStride(table)
    arguments.add(table.columns)
    if packed { arguments.add(chunks) }
    try launch(
      "Embedding.cu",
      (packed ? "replace_packed" : "replace") + (table.elementType == .float32 ? "" : "_narrow"),
      type, grid: Grid(x: table.rows), threads: blockThreads, arguments, for: operation)
  }
}
