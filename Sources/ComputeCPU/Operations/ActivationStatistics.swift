public import Compute
import CPUKernels

extension CPUBackend {
  /// Row by row in double precision, rows in order.
  public func run(_ operation: ActivationStatistics) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    let total = sumOverRows(values, numbers: 3, krait_activation_moments)
    operation.result.float[0] = Float(total[0])
    operation.result.float[1] = Float(total[1])
    operation.result.float[2] = values.count > 0 ? Float(total[2] / Double(values.count)) : 0
  }

  /// The sum over rows, in order, of what a kernel adds up for each.
  func sumOverRows(
    _ values: TensorView, numbers: Int,
    _ kernel: (UnsafePointer<Float>?, Int, UnsafeMutablePointer<Double>?) -> Void
  ) -> [Double] {
    var sums = [Double](repeating: 0, count: values.rows * numbers)
    sums.withUnsafeMutableBufferPointer { buffer in
      guard let partial = buffer.baseAddress else { return }
      rows.forEachRange(of: values.rows, rowsPerChunk: 16) { _, range in
        for row in range {
          kernel(values.float + row * values.stride, values.columns, partial + row * numbers)
        }
      }
    }
    return (0..<numbers).map { which in
      stride(from: which, to: sums.count, by: numbers).reduce(0) { $0 + sums[$1] }
    }
  }
}
