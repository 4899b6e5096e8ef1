import Compute

/// Products with a few rows, such as the router's scores: bound by reading the long matrix.
extension CUDABackend {
  /// Runs `left · rightᵀ` with at most 64 rows of right, bfloat16 in and float32 out; false for
  /// everything else.
  func runSkinny(_ operation: MatrixMultiply) throws(ComputeError) -> Bool {
    let (left, right, output) = (operation.left, operation.right, operation.output)
    guard
      !operation.transposeLeft, operation.transposeRight, operation.addend == nil,
      operation.alpha == 1, operation.epilogue == .none, left.elementType == .bfloat16,
      output.elementType == .float32, (8...64).contains(right.rows), right.rows % 8 == 0,
      operation.depth % 32 == 0, operation.depth > 0, left.rows >= 1024,
      left.rows * left.stride < 1 << 32, left.hasWholeChunks(16), right.hasWholeChunks(16)
    else { return false }
    let tiles = [2, 4, 6, 8].first { right.rows <= 8 * $0 } ?? 8
    var arguments = KernelArguments()
    arguments.addWithStride(left)
    arguments.addWithStride(right)
    arguments.addWithStride(output)
    arguments.add(output.rows)
    arguments.add(output.columns)
    arguments.add(operation.depth)
    try launch(
      "SkinnyProduct.cu", "skinny_\(tiles)", .bfloat16, grid: Grid(x: (output.rows + 63) / 64),
      arguments)
    return true
  }
}
