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
    let each = columns.columns <= 1024 ? 1 : columns.columns <= 2048 ? 2 : 16
    let threads = each == 16 ? 1024 : (columns.columns + 32 * each - 1) / (32 * each) * 32
    try launch(
      "AlignColumns.cu", "align_columns_\(each)", .float32,
      grid: Grid(x: (columns.rows + operation.chain - 1) / operation.chain), threads: threads,
      sharedBytes: each == 16 ? 0 : 65536 + 14 * each * threads, arguments)
  }
}
