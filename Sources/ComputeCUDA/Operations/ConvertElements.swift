public import Compute

extension CUDABackend {
  /// Element by element; equal types are a copy.
  public func run(_ operation: ConvertElements) throws(ComputeError) {
    operation.checkShapes()
    let source = operation.source
    guard source.elementType != operation.output.elementType else {
      return try copy(from: source, to: operation.output)
    }
    var arguments = KernelArguments()
    arguments.addWithStride(source)
    arguments.addWithStride(operation.output)
    arguments.add(source.rows)
    arguments.add(source.columns)
    try launch(
      "ConvertElements.cu", source.elementType == .float32 ? "narrow" : "widen", .bfloat16,
      grid: .strided(source.count), arguments, for: operation)
  }
}
