public import Compute

extension CUDABackend {
  /// A thread block for every group of tokens and block of neurons.
  public func run(_ operation: TransposedVenomMask) throws(ComputeError) {
    operation.checkShapes()
    let activation = operation.activation
    var arguments = KernelArguments()
    arguments.addWithStride(activation)
    arguments.addWithStride(optional: operation.companion)
    arguments.add(optional: operation.order)
    arguments.add(activation.rows)
    arguments.add(activation.columns)
    arguments.add(operation.blockNeurons)
    arguments.add(operation.keep)
    arguments.add(operation.groupTokens)
    try launch(
      "TransposedVenomMask.cu", "transposed_venom_mask", activation.elementType,
      grid: Grid(
        x: (activation.rows + operation.groupTokens - 1) / operation.groupTokens,
        y: (activation.columns + operation.blockNeurons - 1) / operation.blockNeurons),
      threads: 128, sharedBytes: (operation.groupTokens + 3) / 4 * 16, arguments)
  }
}
