public import Compute

extension CUDABackend {
  /// Blocks of a grid that depends on nothing but the count, then their sums in order.
  public func run(_ operation: SumOfSquares) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    let grid = Grid.strided(max(values.count, 1), blocks: 1024)
    let partial = try memory.scratch(bytes: grid.x * 8)
    var sums = KernelArguments()
    sums.addWithStride(values)
    sums.add(values.rows)
    sums.add(values.columns)
    sums.add(partial)
    try launch("SumOfSquares.cu", "partial_sums", values.elementType, grid: grid, sums)
    var total = KernelArguments()
    total.add(partial)
    total.add(grid.x)
    total.add(operation.result)
    try launch(
      "SumOfSquares.cu", "total", values.elementType, grid: Grid(x: 1), threads: 1024, total)
  }
}
