public import Compute

extension CPUBackend {
  /// Block of neurons by block of neurons, group of tokens by group of tokens.
  public func run(_ operation: TransposedVenomMask) throws(ComputeError) {
    operation.checkShapes()
    let neurons = operation.activation.columns
    rows.forEachRange(of: neurons, rowsPerChunk: operation.blockNeurons) { _, block in
      for start in stride(
        from: 0, to: operation.activation.rows, by: operation.groupTokens)
      {
        let end = min(start + operation.groupTokens, operation.activation.rows)
        maskGroup(operation, positions: start..<end, neurons: block)
      }
    }
  }

  private func maskGroup(
    _ operation: TransposedVenomMask, positions: Range<Int>, neurons: Range<Int>
  ) {
    let activation = operation.activation
    let order = operation.order.map { $0.int32 }
    let tokens = positions.map { position in order.map { Int($0[position]) } ?? position }
    // Stage one: the 4 tokens with the largest sums over the block's neurons.
    let sums = tokens.map { token in
      var sum: Float = 0
      for neuron in neurons { sum += activation.float[token * activation.stride + neuron] }
      return sum
    }
    let ranked = tokens.indices.sorted { (sums[$0], $1) > (sums[$1], $0) }
    let kept = ranked.prefix(4).sorted()
    for index in ranked.dropFirst(4) {
      for neuron in neurons { drop(operation, token: tokens[index], neuron: neuron) }
    }
    // Stage two: every neuron keeps its largest of those.
    var four: [Float] = Array(repeating: 0, count: 4)
    for neuron in neurons {
      for (slot, index) in kept.enumerated() {
        four[slot] = activation.float[tokens[index] * activation.stride + neuron]
      }
      four.withUnsafeBufferPointer { values in
        guard let base = values.baseAddress else { return }
        keepLargest(base, stride: 1, count: kept.count, keep: operation.keep) { slot in
          drop(operation, token: tokens[kept[slot]], neuron: neuron)
        }
      }
    }
  }

  private func drop(_ operation: TransposedVenomMask, token: Int, neuron: Int) {
    operation.activation.float[token * operation.activation.stride + neuron] = 0
    if let companion = operation.companion {
      companion.float[token * companion.stride + neuron] = 0
    }
  }
}
