public import Compute
import CPUKernels

extension CPUBackend {
  /// Row by row, four weights at a time.
  public func run(_ operation: SoftThreshold) throws(ComputeError) {
    operation.checkShapes()
    let weights = operation.weights
    let output = operation.output
    rows.forEachRange(of: weights.rows, rowsPerChunk: 32) { _, range in
      for row in range {
        krait_soft_threshold(
          weights.float + row * weights.stride, output.float + row * output.stride,
          weights.columns, operation.scale)
      }
    }
  }

  /// Row sums in double precision, rows in order.
  public func run(_ operation: SoftThresholdMoments) throws(ComputeError) {
    operation.checkShapes()
    let total = sumOverRows(operation.weights, numbers: 2, krait_soft_threshold_moments)
    operation.result.float[0] = Float(total[0])
    operation.result.float[1] = Float(total[1])
  }
}
