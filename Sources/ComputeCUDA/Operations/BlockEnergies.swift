public import Compute

extension CUDABackend {
  /// On Hopper one kernel that stores nothing but sums; elsewhere some blocks at a time: their
  /// product in work memory, and its sums.
  public func run(_ operation: BlockEnergies) throws(ComputeError) {
    operation.checkShapes()
    precondition(operation.sums.elementType == .float32, "block sums are float32")
    guard operation.sums.count > 0 else { return }
    if try runOnHopper(operation) { return }
    let (input, sums, rows) = (operation.input, operation.sums, operation.blockRows)
    let step = energyStep(operation)
    let base = try memory.scratch(bytes: step.bytes)
    for block in stride(from: 0, to: sums.rows, by: step.blocks) {
      let blocks = block..<min(block + step.blocks, sums.rows)
      let left = input.rows(block * rows..<min(blocks.upperBound * rows, input.rows))
      let product = TensorView(
        address: base, rows: left.rows, columns: sums.columns, elementType: input.elementType)
      try run(
        MatrixMultiply(
          left, operation.weights, transposeRight: true, into: product, epilogue: .squaredReLU))
      try run(
        BlockSums(
          values: product, blockRows: rows, squares: operation.squares, sums: sums.rows(blocks)))
    }
  }

  /// What `run` asks for.
  public func workBytes(_ operation: BlockEnergies) throws(ComputeError) -> Int {
    let bytes = hopperEnergies(operation)?.layout.bytes ?? energyStep(operation).bytes
    return bytes == 0 ? 0 : DeviceMemory.scratchBytes(for: bytes)
  }

  /// Blocks at a time where nothing is fused, and bytes of their product.
  private func energyStep(_ operation: BlockEnergies) -> (blocks: Int, bytes: Int) {
    let (input, sums) = (operation.input, operation.sums)
    let rowBytes = sums.columns * input.elementType.byteCount
    let blockBytes = min(operation.blockRows, input.rows) * rowBytes
    let blocks = max(1, min(sums.rows, (64 << 20) / max(1, blockBytes)))
    return (blocks, min(blocks * operation.blockRows, input.rows) * rowBytes)
  }
}
