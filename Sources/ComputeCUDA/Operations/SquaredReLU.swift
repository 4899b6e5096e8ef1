public import Compute

extension CUDABackend {
  /// Element by element.
  public func run(_ operation: SquaredReLU.Forward) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    var arguments = KernelArguments()
    arguments.addWithStride(values)
    arguments.add(values.rows)
    arguments.add(values.columns)
    try launch(
      "SquaredReLU.cu", "forward", values.elementType, grid: .strided(values.count), arguments)
  }

  /// Element by element.
  public func run(_ operation: SquaredReLU.Backward) throws(ComputeError) {
    operation.checkShapes()
    let gradient = operation.gradient
    var arguments = KernelArguments()
    arguments.addWithStride(operation.activation)
    arguments.addWithStride(gradient)
    arguments.add(gradient.rows)
    arguments.add(gradient.columns)
    try launch(
      "SquaredReLU.cu", "backward", gradient.elementType, grid: .strided(gradient.count), arguments)
  }
}
