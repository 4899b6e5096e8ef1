public import Compute

extension CPUBackend {
  /// Lists the sampled positions block after block.
  public func run(_ operation: SampleTokens) throws(ComputeError) {
    operation.checkShapes()
    let output = operation.output.int32
    let shift = operation.isHalfway ? 1 : 0
    var next = 0
    for start in stride(from: 0, to: operation.tokens, by: operation.blockTokens) {
      let length = min(operation.blockTokens, operation.tokens - start)
      let samples = min(operation.samples, length)
      for sample in 0..<samples {
        let position = start + (2 * sample + shift) * length / (2 * samples)
        output[next] = Int32(position)
        next += 1
      }
    }
  }
}
