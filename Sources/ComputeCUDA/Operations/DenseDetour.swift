import Compute

/// Sparse products at sizes that the kernels of the hopper folder do not take (short token blocks,
/// other GPUs): packed values are unpacked, and the matrix library multiplies everything.
///
/// Costs what dense products cost, and work memory for one or two [T, f] matrices; the plain kernels,
/// which use no tensor cores, would be many times slower at the sizes of training.
extension CUDABackend {
  /// Runs product 1 or 3; false where the plain kernel does.
  func runDensely(_ operation: KeptProduct) throws(ComputeError) -> Bool {
    let (input, weights) = (operation.input, operation.weights)
    guard
      let work = try denseWork(
        tokens: input.rows, neurons: weights.rows, matrices: 2, operation.output.elementType)
    else { return false }
    var epilogue = operation.epilogue
    if case .timesTwoSqrt(let activation) = epilogue {
      try run(
        UnpackColumns(packed: activation, pattern: operation.pattern, values: work[1]))
      epilogue = .timesTwoSqrt(work[1])
    }
    try run(
      MatrixMultiply(input, weights, transposeRight: true, into: work[0], epilogue: epilogue))
    try run(
      PackColumns(values: work[0], pattern: operation.pattern, packed: operation.output))
    return true
  }

  /// Runs product 2 or 5; false where the plain kernel does.
  func runDensely(_ operation: PackedProduct) throws(ComputeError) -> Bool {
    guard let values = try unpacked(operation.packed, operation.pattern, operation.weights)
    else { return false }
    try run(
      MatrixMultiply(
        values, operation.weights, into: operation.output, adding: operation.addend))
    return true
  }

  /// Runs product 4 or 6; false where the plain kernel does.
  func runDensely(_ operation: PackedWeightGradient) throws(ComputeError) -> Bool {
    let gradient = operation.weightGradient
    guard let values = try unpacked(operation.packed, operation.pattern, gradient)
    else { return false }
    try run(
      MatrixMultiply(
        values, transposeLeft: true, operation.rows, into: gradient, adding: gradient))
    return true
  }

  /// A [T, f] matrix of packed values, zero elsewhere; `neurons` has f rows.
  private func unpacked(
    _ packed: TensorView, _ pattern: PackedPattern, _ neurons: TensorView
  ) throws(ComputeError) -> TensorView? {
    guard
      let work = try denseWork(
        tokens: packed.rows, neurons: neurons.rows, matrices: 1, packed.elementType)
    else { return nil }
    try run(UnpackColumns(packed: packed, pattern: pattern, values: work[0]))
    return work[0]
  }

  /// Work memory for some [T, f] matrices; nil where the detour does not pay.
  ///
  /// No operation that uses them may take work memory of its own.
  private func denseWork(
    tokens: Int, neurons: Int, matrices: Int, _ type: ElementType
  ) throws(ComputeError) -> [TensorView]? {
    guard
      let bytes = denseWorkBytes(
        tokens: tokens, neurons: neurons, matrices: matrices, type)
    else { return nil }
    let base = try memory.scratch(bytes: bytes)
    return (0..<matrices).map {
      TensorView(
        address: base + UInt64($0 * bytes / matrices), rows: tokens, columns: neurons,
        elementType: type)
    }
  }

  /// Bytes of that memory.
  func denseWorkBytes(
    tokens: Int, neurons: Int, matrices: Int, _ type: ElementType
  ) -> Int? {
    guard type == .bfloat16, products != nil, tokens * neurons >= 1 << 20 else { return nil }
    return matrices * DeviceMemory.partBytes(tokens * neurons * 2)
  }
}
