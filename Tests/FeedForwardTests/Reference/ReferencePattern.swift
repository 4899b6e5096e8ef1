import FeedForward

/// What the reference keeps of a layer: the order of tokens, each block's neurons, the mask.
struct ReferencePattern {
  var order: [Int]
  var columns: [[Int]]
  var mask: Matrix
  /// What products 4 and 6 keep besides; nil for all that the mask does.
  var weightMask: Matrix?
}

extension NetworkUnderTest {
  /// The pattern that method.md asks for, found in double precision.
  func referencePattern(layer: Int = 0) throws -> ReferencePattern {
    let configuration = stack.configuration
    let activation = try reference(layer: layer).activation
    let order = try referenceOrder(layer: layer)
    let blocks = ReferencePatterns.blocks(order, size: configuration.blockTokens)
    if configuration.mode == .paper {
      let (n, m) = (configuration.venomN, configuration.venomM)
      let columns = ReferencePatterns.venomColumns(activation, blocks: blocks, m: m)
      let mask = ReferencePatterns.mask(activation, blocks: blocks, columns: columns, n: n)
      var pattern = ReferencePattern(order: order, columns: columns, mask: mask)
      if configuration.weightGradientPattern == .venom {
        pattern.weightMask = ReferencePatterns.transposedVenom(
          activation.combined(mask, *), order: ReferencePatterns.strided(order, group: m),
          blockNeurons: configuration.blockTokens, n: n, m: m)
      }
      return pattern
    }
    let columns = ReferencePatterns.columns(
      activation, blocks: blocks,
      keep: configuration.keptColumns(
        layer: layer, of: shape.layers, hiddenWidth: shape.hiddenWidth),
      samples: configuration.selection == .sampled ? configuration.samples : nil,
      power: configuration.chooseBy == .squares ? 2 : 1,
      neighbourWeight: configuration.selection == .sampled ? configuration.neighbourWeight : 0)
    return ReferencePattern(
      order: order, columns: columns,
      mask: ReferencePatterns.mask(activation, blocks: blocks, columns: columns))
  }

  /// What the reference computes with a pattern, Y with the residual added.
  func referenceResult(
    _ pattern: ReferencePattern, layer: Int = 0
  ) throws -> (output: Matrix, input: Matrix, up: Matrix, down: Matrix) {
    let network = try reference(layer: layer)
    let output = network.output(mask: pattern.mask).combined(try matrix(residual), +)
    let gradients = network.gradients(
      of: try matrix(outputGradient), mask: pattern.mask, weightMask: pattern.weightMask)
    return (output, gradients.input, gradients.up, gradients.down)
  }
}
