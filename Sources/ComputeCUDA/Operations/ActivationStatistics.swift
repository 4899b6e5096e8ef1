public import Compute

extension CUDABackend {
  /// Blocks of a fixed grid in double precision, then their sums in order.
  public func run(_ operation: ActivationStatistics) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    let grid = Grid.strided(max(values.count, 1), blocks: 1024)
    let partial = try memory.scratch(bytes: grid.x * 24)
    var sums = KernelArguments()
    sums.addWithStride(values)
    sums.add(values.rows)
    sums.add(values.columns)
    sums.add(partial)
    try launch("ActivationStatistics.cu", "statistics", values.elementType, grid: grid, sums)
    var total = KernelArguments()
    total.add(partial)
    total.add(grid.x)
    total.add(values.count)
    total.add(operation.result)
    try launch(
      "ActivationStatistics.cu", "statistics_total", values.elementType, grid: Grid(x: 1), total)
  }
}
