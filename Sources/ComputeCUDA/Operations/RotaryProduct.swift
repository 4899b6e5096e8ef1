public import Compute

extension CUDABackend {
  /// One kernel of ours on Hopper, where heads are 64 or 128 wide: the turn happens to sums in registers.
  ///
  /// The pass over the output that this saves grows with the width, the product with its square, and the library's
  /// product is the faster one by some percent: wider models take the library and the pass.
  public func run(_ operation: RotaryProduct) throws(ComputeError) {
    operation.checkShapes()
    let (product, turn) = (operation.product, operation.turn)
    guard product.depth <= CUDABackend.widestRotaryProduct, [64, 128].contains(turn.headWidth),
      turn.table.elementType == .float32, turn.table.stride % 2 == 0, turn.table.address % 8 == 0,
      !turn.inverse, turn.firstPosition + turn.sequenceLength < 1 << 31,
      suitsDenseKernels(product),
      try launchDense(
        "dense_rotary_\(turn.headWidth)", product, for: operation,
        epilogue: { arguments in
          arguments.addWithStride(turn.table)
          arguments.add(turn.sequenceLength)
          arguments.add(turn.firstPosition)
          arguments.add(turn.values.columns)
        })
    else {
      try run(product)
      return try run(turn)
    }
  }

  /// The largest depth of a product that turns on the way.
  static let widestRotaryProduct = 2048
}
