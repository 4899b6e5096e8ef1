public import Compute

extension CUDABackend {
  /// A thread block for every cluster and 1024 neurons.
  public func run(_ operation: RememberSums) throws(ComputeError) {
    operation.checkShapes()
    let (before, after) = (operation.before, operation.after)
    var arguments = KernelArguments()
    arguments.addWithStride(operation.sums)
    arguments.add(operation.sums.columns)
    arguments.add(operation.marks)
    arguments.add(operation.marks.count)
    arguments.add(operation.rate)
    arguments.addWithStride(before)
    arguments.addWithStride(after)
    try launch(
      "RememberSums.cu", "remember_sums", .float32,
      grid: Grid(x: (operation.sums.columns + 1023) / 1024, y: before.rows), threads: 256,
      arguments)
  }
}
