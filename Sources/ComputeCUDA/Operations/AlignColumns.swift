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
    try launch(
      "AlignColumns.cu", "align_columns_\(each)", .float32,
      grid: Grid(x: (columns.rows + operation.chain - 1) / operation.chain), threads: 1024,
      sharedBytes: each == 16 ? 0 : 65536 + 14336 * each, arguments)
  }
}
