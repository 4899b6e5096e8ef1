public import Compute

extension CUDABackend {
  /// Blocks of a grid that depends on nothing but the count, then their sums in order.
  public func run(_ operation: SumOfSquares) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    let pack = packSize(values.elementType)
    let packed =
      values.isContiguous && values.count % pack == 0 && values.address % 16 == 0
    let grid = Grid.strided(max(packed ? values.count / pack : values.count, 1), blocks: 1024)
    let partial = try memory.scratch(bytes: grid.x * 8)
    var sums = KernelArguments()
    if packed {
      sums.add(values)
      sums.add(values.count / pack)
    } else {
      sums.addWithStride(values)
      sums.add(values.rows)
      sums.add(values.columns)
    }
    sums.add(partial)
    try launch(
      "SumOfSquares.cu", packed ? "partial_packed" : "partial_sums", values.elementType,
      grid: grid, sums, for: operation)
    var total = KernelArguments()
    total.add(partial)
    total.add(grid.x)
    total.add(operation.result)
    try launch(
      "SumOfSquares.cu", "total", values.elementType, grid: Grid(x: 1), threads: 1024, total)
  }
}
