public import Compute

extension CUDABackend {
  /// A warp per row where rows are whole 16-byte chunks, else a block per row; bits are copied as they
  /// are.
  public func run(_ operation: GatherRows) throws(ComputeError) {
    operation.checkShapes()
    if try gatherChunks(operation) { return }
    var arguments = KernelArguments()
    arguments.addWithStride(operation.source)
    arguments.add(operation.rows)
    arguments.addWithStride(operation.output)
    arguments.add(operation.output.columns)
    let isNarrow = operation.source.elementType.byteCount == 2
    try launch(
      "GatherRows.cu", "gather", isNarrow ? .bfloat16 : .float32,
      grid: Grid(x: operation.output.rows), arguments)
  }

  private func gatherChunks(_ operation: GatherRows) throws(ComputeError) -> Bool {
    let (source, output) = (operation.source, operation.output)
    guard source.hasWholeChunks(16) && output.hasWholeChunks(16) else { return false }
    let size = source.elementType.byteCount
    var arguments = KernelArguments()
    arguments.add(source)
    arguments.add(source.stride * size / 16)
    arguments.add(operation.rows)
    arguments.add(output)
    arguments.add(output.stride * size / 16)
    arguments.add(output.rows)
    arguments.add(output.columns * size / 16)
    try launch(
      "GatherRows.cu", "gather_chunks", .float32, grid: .items(32 * output.rows), arguments)
    return true
  }
}

extension TensorView {
  /// Whether every row starts at a multiple of so many bytes and is made of whole chunks of them.
  func hasWholeChunks(_ bytes: Int) -> Bool {
    let size = elementType.byteCount
    return address % UInt64(bytes) == 0 && stride * size % bytes == 0
      && columns * size % bytes == 0
  }
}
