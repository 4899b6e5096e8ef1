public import Compute

extension CUDABackend {
  /// A thread per four values.
  public func run(_ operation: MaskFours) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    var arguments = KernelArguments()
    arguments.addWithStride(values)
    arguments.add(values.rows)
    arguments.add(values.columns)
    arguments.add(operation.keep)
    let takesFour = values.elementType == .bfloat16 && values.hasWholeChunks(8)
    try launch(
      "MaskFours.cu", takesFour ? "mask_fours_8" : "mask_fours", values.elementType,
      grid: .strided(values.count / 4), arguments)
  }
}
