import Compute

/// Products 1 and 3 of a dense feed-forward network through wgmma, with their epilogues.
///
/// The epilogue is applied to float32 sums and the product itself is never stored. Compute
/// capability 9.0, bfloat16, the right factor transposed, rows that start and end at multiples of 16
/// bytes; everything else takes the matrix library and a pass over its product.
extension CUDABackend {
  /// Runs the product; false when the matrix library has to.
  func runOnHopper(_ operation: MatrixMultiply) throws(ComputeError) -> Bool {
    let name: String
    let activation: TensorView?
    switch operation.epilogue {
    case .none: return false
    case .squaredReLU: (name, activation) = ("dense_squared_relu", nil)
    case .timesTwoSqrt(let values): (name, activation) = ("dense_two_sqrt", values)
    }
    guard suitsDenseKernels(operation) else { return false }
    return try launchDense(
      name, operation, side: activation ?? operation.output)
  }

  /// Starts a kernel of `hopper/dense_product.cu`, once `suitsDenseKernels` allows it; false when there is
  /// nothing to compute.
  ///
  /// - Parameters:
  ///   - side: the matrix that the kernel has between its factors and its output, if it has one.
  ///   - epilogue: adds what it has after its sizes.
  ///   - work: what a table of calls counts, if not the product.
  func launchDense(
    _ name: String, _ product: MatrixMultiply, side: TensorView? = nil,
    for work: (any Operation)? = nil, epilogue: (inout KernelArguments) -> Void = { _ in }
  ) throws(ComputeError) -> Bool {
    let output = product.output
    let tiles = DenseTiles(
      rows: output.rows, columns: output.columns, multiprocessors: device.multiprocessors)
    guard tiles.grid > 0 else { return false }
    var arguments = KernelArguments()
    arguments.add(words: try device.tensorMap(product.left, boxRows: DenseTiles.rows))
    arguments.add(
      words: try device.tensorMap(product.right, boxRows: DenseTiles.columns / tiles.cluster))
    if let side {
      arguments.add(words: try device.tensorMap(side, boxRows: DenseTiles.rows))
    }
    arguments.add(words: try device.tensorMap(output, boxRows: DenseTiles.storedRows))
    arguments.add(output.rows)
    arguments.add(output.columns)
    arguments.add(product.depth)
    arguments.add(tiles.group)
    epilogue(&arguments)
    try launch(
      "hopper/dense_product.cu", name, .bfloat16, grid: Grid(x: tiles.grid),
      threads: HopperTiles.threads, sharedBytes: HopperTiles.sharedBytes, arguments, for: work)
    return true
  }

  /// Whether the `hopper` folder's dense kernels can compute a product with an epilogue.
  func suitsDenseKernels(_ operation: MatrixMultiply) -> Bool {
    var views = [operation.left, operation.right, operation.output]
    if case .timesTwoSqrt(let activation) = operation.epilogue { views.append(activation) }
    return device.capability == 90 && operation.transposeRight && !operation.transposeLeft
      && operation.addend == nil && operation.alpha == 1 && operation.depth > 0
      && operation.depth % 8 == 0 && operation.output.columns % 8 == 0
      && views.allSatisfy {
        $0.elementType == .bfloat16 && $0.address % 16 == 0 && $0.stride % 8 == 0
      }
  }
}
