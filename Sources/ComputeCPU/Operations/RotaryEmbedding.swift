public import Compute
import CPUKernels

extension CPUBackend {
  /// Turns every head of every row by the row's position.
  public func run(_ operation: RotaryEmbedding) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    let half = operation.headWidth / 2
    let sign: Float = operation.inverse ? -1 : 1
    rows.forEachRange(of: values.rows, rowsPerChunk: 64) { _, range in
      for row in range {
        let position = operation.firstPosition + row % operation.sequenceLength
        let cosines = operation.table.float + position * operation.table.stride
        for start in stride(from: 0, to: values.columns, by: operation.headWidth) {
          krait_rotate(
            values.float + row * values.stride + start, cosines, cosines + half, half, sign)
        }
      }
    }
  }
}
