public import Compute

extension CUDABackend {
  /// One thread block for each chain.
  public func run(_ operation: AlignColumns) throws(ComputeError) {
    operation.checkShapes()
    let columns = operation.columns
    guard columns.count > 0, operation.chain > 1 else { return }
    var arguments = KernelArguments()
    arguments.addWithStride(columns)
    arguments.add(columns.rows)
    arguments.add(columns.columns)
    arguments.add(operation.chain)
    let kept = columns.columns
    // Slots of a thread; the longest lists go one after the other, in static shared memory.
    var each = kept <= 1024 ? 1 : kept <= 2048 ? 2 : kept <= 4096 ? 4 : 16
    var threads = (kept + 32 * each - 1) / (32 * each) * 32
    var sharedBytes = 65536 + 14 * each * threads
    if each == 16 || sharedBytes > device.sharedBytesPerBlock {
      (each, threads, sharedBytes) = (16, 1024, 0)
    }
    try launch(
      "AlignColumns.cu", "align_columns_\(each)", .float32,
      grid: Grid(x: (columns.rows + operation.chain - 1) / operation.chain), threads: threads,
      sharedBytes: sharedBytes, arguments)
  }
}
