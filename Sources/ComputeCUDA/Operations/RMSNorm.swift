public import Compute

extension CUDABackend {
  /// A block per row. Weights are float32.
  public func run(_ operation: RMSNorm.Forward) throws(ComputeError) {
    operation.checkShapes()
    precondition(operation.weight.elementType == .float32, "norm weights are float32")
    var arguments = KernelArguments()
    arguments.addWithStride(operation.input)
    arguments.add(operation.weight)
    arguments.addWithStride(operation.output)
    arguments.add(operation.inverseRMS)
    arguments.add(operation.input.columns)
    arguments.add(operation.epsilon)
    try launch(
      "RMSNorm.cu", "forward", operation.input.elementType, grid: Grid(x: operation.input.rows),
      arguments)
  }

  /// A block per row for the input; weight gradients are summed per chunk of rows, then in order.
  public func run(_ operation: RMSNorm.Backward) throws(ComputeError) {
    operation.checkShapes()
    let input = operation.input
    guard input.rows > 0 else { return }
    let rowsPerChunk = max(16, (input.rows + 255) / 256)
    let chunks = (input.rows + rowsPerChunk - 1) / rowsPerChunk
    let partial = try memory.scratch(bytes: chunks * input.columns * 4)
    var sums = KernelArguments()
    sums.addWithStride(operation.outputGradient)
    sums.addWithStride(input)
    sums.add(operation.inverseRMS)
    sums.add(partial)
    sums.add(input.rows)
    sums.add(input.columns)
    sums.add(rowsPerChunk)
    try launch(
      "RMSNorm.cu", "weight_partial", input.elementType,
      grid: Grid(x: (input.columns + 255) / 256, y: chunks), sums)
    var total = KernelArguments()
    total.add(partial)
    total.add(chunks)
    total.add(input.columns)
    total.add(operation.weightGradient)
    try launch(
      "RMSNorm.cu", "weight_sum", input.elementType, grid: .items(input.columns), total)
    var arguments = KernelArguments()
    arguments.addWithStride(operation.outputGradient)
    arguments.addWithStride(input)
    arguments.add(operation.weight)
    arguments.add(operation.inverseRMS)
    arguments.addWithStride(operation.inputGradient)
    arguments.add(input.columns)
    try launch("RMSNorm.cu", "backward", input.elementType, grid: Grid(x: input.rows), arguments)
  }
}
