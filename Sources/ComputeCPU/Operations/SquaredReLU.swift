public import Compute
import CPUKernels

extension CPUBackend {
  /// In place.
  public func run(_ operation: SquaredReLU.Forward) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    rows.forEachRange(of: values.rows, rowsPerChunk: 16) { _, range in
      for row in range {
        krait_squared_relu(values.float + row * values.stride, values.columns)
      }
    }
  }

  /// In place of the gradient.
  public func run(_ operation: SquaredReLU.Backward) throws(ComputeError) {
    operation.checkShapes()
    let gradient = operation.gradient
    let activation = operation.activation
    rows.forEachRange(of: gradient.rows, rowsPerChunk: 16) { _, range in
      for row in range {
        krait_times_two_sqrt(
          gradient.float + row * gradient.stride, activation.float + row * activation.stride,
          gradient.columns)
      }
    }
  }
}
