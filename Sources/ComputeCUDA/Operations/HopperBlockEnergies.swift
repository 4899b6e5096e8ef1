import Compute

/// Block sums of product 1 through wgmma, in 8-bit floats, with 2:4 weights or in bfloat16.
///
/// Compute capability 9.0, bfloat16, blocks of a multiple of 8 rows, rows at multiples of 16 bytes,
/// also in 8 bits.
extension CUDABackend {
  /// How a product is computed, and the work memory that it takes.
  struct EnergyPlan {
    let factors: HopperEnergies.Factors
    let block: Int
    let tiles: HopperEnergies
    let layout: HopperEnergies.Layout
    /// What the kernel is compiled with.
    let constants: [String]
  }

  /// Nil when another way has to be taken.
  func hopperEnergies(_ operation: BlockEnergies) -> EnergyPlan? {
    let (input, weights) = (operation.input, operation.weights)
    guard
      device.capability == 90, input.columns % 8 == 0, input.rows > 0, input.columns > 0,
      let block = HopperEnergies.block(of: operation.blockRows),
      [input, weights].allSatisfy({
        $0.elementType == .bfloat16 && $0.address % 16 == 0 && $0.stride % 8 == 0
      })
    else { return nil }
    let tiles = HopperEnergies(
      tokens: input.rows, neurons: weights.rows,
      multiprocessors: device.multiprocessors)
    guard tiles.grid > 0 else { return nil }
    let factors = HopperEnergies.factors(
      tokens: input.rows, width: input.columns, block: block, isTwoOfFour: operation.isTwoOfFour,
      allowsEightBits: operation.allowsEightBits)
    return EnergyPlan(
      factors: factors, block: block, tiles: tiles,
      layout: HopperEnergies.Layout(
        factors, tokens: input.rows, width: input.columns, neurons: weights.rows,
        block: block, hasRows: operation.eightBitInput == nil,
        hasWeights: operation.eightBitWeights == nil, isWhole: operation.blockRows == block
      ), constants: operation.squares ? [KernelUnit.squares] : [])
  }

  /// Runs the operation; false when another way has to be taken.
  func runOnHopper(_ operation: BlockEnergies) throws(ComputeError) -> Bool {
    guard let plan = hopperEnergies(operation) else { return false }
    let (input, layout) = (operation.input, plan.layout)
    let base = layout.bytes > 0 ? try memory.scratch(bytes: layout.bytes) : 0
    func work(_ part: Int, _ rows: Int, _ columns: Int, _ type: ElementType) -> TensorView {
      TensorView(
        address: base + UInt64(part), rows: rows, columns: columns, elementType: type)
    }
    var sums = operation.sums
    if operation.blockRows > plan.block {
      let blocks = (input.rows + plan.block - 1) / plan.block
      sums = work(layout.sums, blocks, sums.columns, .float32)
    }
    // Two 8-bit numbers pass for one of 16 bits.
    let tokens = TensorView(
      address: operation.eightBitInput?.address ?? base + UInt64(layout.rows), rows: input.rows,
      columns: input.columns / 2, elementType: .bfloat16)
    if plan.factors.areEightBit && operation.eightBitInput == nil {
      try quantize(input, to: tokens)
    }
    let scales = work(layout.scales, 1, sums.columns, .float32)
    switch plan.factors {
    case .eightBit:
      let neurons = work(layout.weights, sums.columns, input.columns / 2, .bfloat16)
      try quantize(operation.weights, to: neurons, scales: scales)
      try sum(
        "block_energies_eight_bit_\(plan.block)", tokens, neurons, scales: scales, into: sums,
        plan)
    case .eightBitTwoOfFour:
      let images = operation.eightBitWeights?.address ?? base + UInt64(layout.weights)
      let factors = HopperEnergies.factors(
        after: images, neurons: sums.columns, width: input.columns)
      if operation.eightBitWeights == nil {
        try quantizeTwoFour(operation.weights, to: images, factors: factors)
      }
      try sumTwoFour(tokens, images: images, factors: factors, into: sums, plan)
    case .twoOfFour:
      let images = base + UInt64(layout.weights)
      try compressTwoFour(operation.weights, to: images)
      try sumTwoFour(input, images: images, factors: nil, into: sums, plan)
    case .bfloat16:
      try sum(
        "block_energies_\(plan.block)", input, operation.weights, scales: nil, into: sums,
        plan)
    }
    if operation.blockRows > plan.block {
      try run(
        BlockSums(
          values: sums, blockRows: operation.blockRows / plan.block,
          sums: operation.sums))
    }
    return true
  }

  /// Whether `BlockEnergies` reads rows like these in 8 bits.
  func takesEightBitCopies(of rows: TensorView) -> Bool {
    device.capability == 90 && rows.elementType == .bfloat16 && rows.columns % 16 == 0
  }

  /// Rows in 8 bits, densely.
  func quantize(_ rows: TensorView, to tokens: TensorView) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.addWithStride(rows)
    arguments.add(rows.columns)
    arguments.add(tokens)
    try launch(
      HopperEnergies.file, "quantize_tokens", .bfloat16, grid: Grid(x: tokens.rows),
      threads: 128, arguments)
  }

  private func quantize(
    _ weights: TensorView, to neurons: TensorView, scales: TensorView
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.addWithStride(weights)
    arguments.add(weights.columns)
    arguments.add(neurons)
    arguments.add(scales)
    try launch(
      HopperEnergies.file, "quantize_neurons", .bfloat16, grid: Grid(x: neurons.rows),
      threads: 128, arguments)
  }

  /// 2:4 weights in 8 bits, and the factors of neurons' sums.
  func quantizeTwoFour(
    _ weights: TensorView, to images: UInt64, factors: UInt64
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.addWithStride(weights)
    arguments.add(weights.rows)
    arguments.add(weights.columns)
    arguments.add(images)
    arguments.add(factors)
    try launch(
      HopperEnergies.twoFourFile, "two_four_quantize", .bfloat16,
      grid: Grid(x: (weights.rows + 127) / 128 * 16), threads: 256, arguments)
  }

  private func sum(
    _ name: String, _ input: TensorView, _ weights: TensorView, scales: TensorView?,
    into sums: TensorView, _ plan: EnergyPlan
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.add(words: try device.tensorMap(input, boxRows: 128))
    arguments.add(words: try device.tensorMap(weights, boxRows: 128))
    arguments.add(optional: scales)
    arguments.addWithStride(sums)
    arguments.add(input.rows)
    arguments.add(weights.rows)
    arguments.add(input.columns)
    arguments.add(plan.tiles.group)
    try launch(
      HopperEnergies.file, name, .bfloat16, constants: plan.constants,
      grid: Grid(x: plan.tiles.grid),
      threads: HopperTiles.threads, sharedBytes: HopperEnergies.sharedBytes, arguments)
  }

  /// In 8 bits where there are factors.
  private func sumTwoFour(
    _ input: TensorView, images: UInt64, factors: UInt64?, into sums: TensorView,
    _ plan: EnergyPlan
  ) throws(ComputeError) {
    var arguments = KernelArguments()
    arguments.add(images)
    arguments.add(words: try device.tensorMap(input, boxRows: 128))
    if let factors { arguments.add(factors) }
    arguments.addWithStride(sums)
    arguments.add(input.rows)
    arguments.add(sums.columns)
    arguments.add(input.columns)
    arguments.add(plan.tiles.group)
    let isEightBit = factors != nil
    try launch(
      isEightBit ? HopperEnergies.twoFourFile : "hopper/two_four_product.cu",
      isEightBit ? "two_four_energies_\(plan.block)" : "two_four_block_energies", .bfloat16,
      constants: plan.constants, grid: Grid(x: plan.tiles.grid), threads: HopperTiles.threads,
      sharedBytes: isEightBit ? HopperEnergies.twoFourSharedBytes : TwoFourTiles.sharedBytes,
      arguments)
  }
}
