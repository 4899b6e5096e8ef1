public import Compute

extension CPUBackend {
  /// Four weights at a time.
  public func run(_ operation: SoftThreshold) throws(ComputeError) {
    operation.checkShapes()
    let weights = operation.weights
    let output = operation.output
    rows.forEachRange(of: weights.rows, rowsPerChunk: 32) { _, range in
      for row in range {
        let source = weights.float + row * weights.stride
        let target = output.float + row * output.stride
        for group in stride(from: 0, to: weights.columns, by: 4) {
          let shrunk = softThreshold(source + group)
          for index in 0..<4 { target[group + index] = operation.scale * shrunk[index] }
        }
      }
    }
  }

  /// Row sums in double precision, rows in order.
  public func run(_ operation: SoftThresholdMoments) throws(ComputeError) {
    operation.checkShapes()
    let weights = operation.weights
    var sums = [SIMD2<Double>](repeating: .zero, count: weights.rows)
    sums.withUnsafeMutableBufferPointer { buffer in
      guard let partial = buffer.baseAddress else { return }
      rows.forEachRange(of: weights.rows, rowsPerChunk: 32) { _, range in
        for row in range {
          let source = weights.float + row * weights.stride
          for group in stride(from: 0, to: weights.columns, by: 4) {
            let shrunk = softThreshold(source + group)
            for index in 0..<4 {
              let value = Double(shrunk[index])
              partial[row] += SIMD2(Double(source[group + index]) * value, value * value)
            }
          }
        }
      }
    }
    let total = sums.reduce(SIMD2<Double>.zero, +)
    operation.result.float[0] = Float(total.x)
    operation.result.float[1] = Float(total.y)
  }

  /// S(w) of four consecutive weights: magnitudes less their second smallest, signs kept.
  @inline(__always)
  private func softThreshold(_ weights: UnsafePointer<Float>) -> SIMD4<Float> {
    let w = SIMD4(weights[0], weights[1], weights[2], weights[3])
    let a = SIMD4(abs(w.x), abs(w.y), abs(w.z), abs(w.w))
    // The second smallest of four: the larger of the two pair minima, or the smaller pair maximum.
    let low1 = min(a.x, a.y)
    let high1 = max(a.x, a.y)
    let low2 = min(a.z, a.w)
    let high2 = max(a.z, a.w)
    let threshold = min(max(low1, low2), min(high1, high2))
    var result = SIMD4<Float>.zero
    for index in 0..<4 {
      let rest = a[index] - threshold
      if rest > 0 { result[index] = w[index] < 0 ? -rest : rest }
    }
    return result
  }
}
