public import Compute

extension CUDABackend {
  /// A thread per listed token.
  public func run(_ operation: SampleTokens) throws(ComputeError) {
    operation.checkShapes()
    var arguments = KernelArguments()
    arguments.add(operation.tokens)
    arguments.add(operation.blockTokens)
    arguments.add(operation.samples)
    arguments.add(Int(operation.isHalfway ? 1 : 0))
    arguments.add(operation.output)
    arguments.add(operation.output.count)
    try launch(
      "SampleTokens.cu", "sample", .float32, grid: .items(operation.output.count), arguments)
  }
}
