public import Compute

extension CUDABackend {
  /// On Hopper through wgmma; large ones elsewhere densely; else a tile of 64 neurons and 64 columns
  /// for every thread block. Token blocks in order, unless the backend need not be reproducible.
  public func run(_ operation: PackedWeightGradient) throws(ComputeError) {
    operation.checkShapes()
    let gradient = operation.weightGradient
    precondition(gradient.elementType == .float32, "weight gradients are float32")
    if try runOnHopper(operation) { return }
    if try runDensely(operation) { return }
    precondition(operation.pattern.isAscending, "the plain kernel bisects ascending lists")
    var arguments = KernelArguments()
    arguments.addWithStride(operation.packed)
    arguments.addWithStride(operation.rows)
    arguments.addWithStride(gradient)
    arguments.add(gradient.rows)
    arguments.add(gradient.columns)
    arguments.add(words: operation.pattern.words(tokens: operation.rows.rows))
    try launch(
      "PackedWeightGradient.cu", "packed_weight_gradient", operation.packed.elementType,
      grid: Grid(x: (gradient.columns + 63) / 64, y: (gradient.rows + 63) / 64), arguments)
  }
}
