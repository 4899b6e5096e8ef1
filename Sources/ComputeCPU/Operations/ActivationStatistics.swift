public import Compute

extension CPUBackend {
  /// Row by row in double precision, rows in order.
  public func run(_ operation: ActivationStatistics) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    var sums = [SIMD4<Double>](repeating: .zero, count: values.rows)
    sums.withUnsafeMutableBufferPointer { buffer in
      guard let partial = buffer.baseAddress else { return }
      rows.forEachRange(of: values.rows, rowsPerChunk: 16) { _, range in
        for row in range {
          let source = values.float + row * values.stride
          var total = SIMD4<Double>.zero
          for column in 0..<values.columns {
            let value = Double(source[column])
            total += SIMD4(value, value * value, value > 0 ? 1 : 0, 0)
          }
          partial[row] = total
        }
      }
    }
    let total = sums.reduce(SIMD4<Double>.zero, +)
    operation.result.float[0] = Float(total.x)
    operation.result.float[1] = Float(total.y)
    operation.result.float[2] = values.count > 0 ? Float(total.z / Double(values.count)) : 0
  }
}
