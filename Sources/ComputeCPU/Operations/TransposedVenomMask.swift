public import Compute
import CPUKernels

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
    let order = operation.order.map { $0.int32 }
    let tokens = positions.map { position in order.map { Int($0[position]) } ?? position }
    func rows(_ matrix: TensorView) -> [UnsafeMutablePointer<Float>?] {
      tokens.map { matrix.float + $0 * matrix.stride + neurons.lowerBound }
    }
    let activation = rows(operation.activation)
    let companion = operation.companion.map(rows)
    // Stage one: the 4 tokens with the largest sums over the block's neurons.
    var sums = [Float](repeating: 0, count: tokens.count)
    krait_row_sums(activation.map { UnsafePointer($0) }, tokens.count, neurons.count, &sums)
    let count = min(4, tokens.count)
    var scratch = [UInt32](repeating: 0, count: 2 * tokens.count)
    var kept = [UInt16](repeating: 0, count: count)
    krait_select_largest(sums, tokens.count, count, 0, &scratch, &kept)
    var next = 0
    for index in tokens.indices {
      if next < count && Int(kept[next]) == index {
        next += 1
        continue
      }
      activation[index]?.update(repeating: 0, count: neurons.count)
      companion?[index]?.update(repeating: 0, count: neurons.count)
    }
    // Stage two: every neuron keeps its largest of those.
    let four = kept.map { activation[Int($0)] }
    let keep = Int32(operation.keep)
    if let companion {
      krait_mask_columns(
        four, kept.map { companion[Int($0)] }, Int32(count), neurons.count, keep)
    } else {
      krait_mask_columns(four, nil, Int32(count), neurons.count, keep)
    }
  }
}
