public import Compute

extension CUDABackend {
  /// cuBLASLt, then a pass for an epilogue; on Hopper one kernel of ours with the epilogue in it; a
  /// plain kernel of ours where the library has no algorithm.
  ///
  /// Factors have one element type; output and addend are float32 or that type.
  public func run(_ operation: MatrixMultiply) throws(ComputeError) {
    operation.checkShapes()
    guard operation.output.count > 0 else { return }
    let input = operation.left.elementType
    precondition(operation.right.elementType == input, "MatrixMultiply: factors of two types")
    let isPlain = operation.epilogue == .none
    precondition(
      isPlain || operation.addend != operation.output,
      "MatrixMultiply: an epilogue cannot add to its own output")
    if operation.isRightTwoOfFour, try runTwoFourOnHopper(operation) { return }
    if !isPlain, try runOnHopper(operation) { return }
    guard operation.depth > 0, let products,
      try products.run(operation, addend: isPlain ? operation.addend : nil)
    else { return try multiplyOurselves(operation) }
    if !isPlain { try finish(operation) }
  }

  /// The operation's epilogue as the kernels know it, and the activation it needs.
  func kernelEpilogue(_ epilogue: MatrixMultiply.Epilogue) -> (code: Int, TensorView?) {
    switch epilogue {
    case .none: (0, nil)
    case .squaredReLU: (1, nil)
    case .timesTwoSqrt(let activation): (2, activation)
    }
  }

  private func isWide(_ operation: MatrixMultiply) -> Int {
    operation.output.elementType == .float32 ? 1 : 0
  }

  private func multiplyOurselves(_ operation: MatrixMultiply) throws(ComputeError) {
    let (epilogue, activation) = kernelEpilogue(operation.epilogue)
    let output = operation.output
    var arguments = KernelArguments()
    arguments.addWithStride(operation.left)
    arguments.addWithStride(operation.right)
    arguments.addWithStride(output)
    arguments.addWithStride(optional: operation.addend)
    arguments.addWithStride(optional: activation)
    arguments.add(output.rows)
    arguments.add(output.columns)
    arguments.add(operation.depth)
    arguments.add(operation.alpha)
    arguments.add(epilogue)
    arguments.add(isWide(operation))
    let name =
      "product_" + (operation.transposeLeft ? "t" : "n") + (operation.transposeRight ? "t" : "n")
    try launch(
      "MatrixMultiply.cu", name, operation.left.elementType,
      grid: Grid(x: (output.columns + 63) / 64, y: (output.rows + 63) / 64), arguments)
  }

  private func finish(_ operation: MatrixMultiply) throws(ComputeError) {
    let (epilogue, activation) = kernelEpilogue(operation.epilogue)
    var arguments = KernelArguments()
    arguments.addWithStride(operation.output)
    arguments.addWithStride(optional: operation.addend)
    arguments.addWithStride(optional: activation)
    arguments.add(operation.output.rows)
    arguments.add(operation.output.columns)
    arguments.add(epilogue)
    arguments.add(isWide(operation))
    try launch(
      "MatrixMultiply.cu", "finish", operation.left.elementType,
      grid: .strided(operation.output.count), arguments)
  }
}
