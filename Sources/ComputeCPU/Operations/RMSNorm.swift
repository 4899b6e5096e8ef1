public import Compute
import CPUKernels

extension CPUBackend {
  /// Row by row; the mean square is summed in double precision.
  public func run(_ operation: RMSNorm.Forward) throws(ComputeError) {
    operation.checkShapes()
    let input = operation.input
    let output = operation.output
    let weight = operation.weight.float
    let inverses = operation.inverseRMS.float
    let order = operation.order.map { $0.int32 }
    rows.forEachRange(of: input.rows, rowsPerChunk: 32) { _, range in
      for row in range {
        let from = order.map { Int($0[row]) } ?? row
        let x = input.float + from * input.stride
        let mean = Float(krait_sum_squares(x, input.columns) / Double(input.columns))
        let inverse = 1 / (mean + operation.epsilon).squareRoot()
        inverses[from] = inverse
        krait_rms_scale(x, weight, inverse, output.float + row * output.stride, input.columns)
      }
    }
  }

  /// Weight gradients are summed per chunk of rows, then over chunks in order.
  public func run(_ operation: RMSNorm.Backward) throws(ComputeError) {
    operation.checkShapes()
    let input = operation.input
    let width = input.columns
    guard input.rows > 0 else { return }
    let rowsPerChunk = 128
    let chunks = (input.rows + rowsPerChunk - 1) / rowsPerChunk
    var partialSums = [Float](repeating: 0, count: chunks * width)
    partialSums.withUnsafeMutableBufferPointer { buffer in
      guard let partial = buffer.baseAddress else { return }
      rows.forEachRange(of: input.rows, rowsPerChunk: rowsPerChunk) { _, range in
        let sums = partial + range.lowerBound / rowsPerChunk * width
        for row in range {
          krait_rms_gradient(
            operation.outputGradient.float + row * operation.outputGradient.stride,
            input.float + row * input.stride, operation.weight.float,
            operation.inverseRMS.float[row],
            operation.inputGradient.float + row * operation.inputGradient.stride, sums, width)
        }
      }
      for chunk in 0..<chunks {
        krait_add(operation.weightGradient.float, partial + chunk * width, width)
      }
    }
    if let copy = operation.copy {
      try run(
        GatherRows(source: operation.inputGradient, rows: copy.order, output: copy.rows))
    }
  }
}
