public import Compute
import CPUKernels

extension CPUBackend {
  /// Chunks of a fixed size are summed in double precision, then their sums in order.
  public func run(_ operation: SumOfSquares) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    let chunkColumns = 1 << 16
    let chunksPerRow = max(1, (values.columns + chunkColumns - 1) / chunkColumns)
    var partialSums = [Double](repeating: 0, count: values.rows * chunksPerRow)
    partialSums.withUnsafeMutableBufferPointer { buffer in
      guard let partial = buffer.baseAddress else { return }
      rows.forEachChunk(values.rows * chunksPerRow) { _, chunk in
        let (row, part) = chunk.quotientAndRemainder(dividingBy: chunksPerRow)
        let start = part * chunkColumns
        partial[chunk] = krait_sum_squares(
          values.float + row * values.stride + start, min(chunkColumns, values.columns - start))
      }
    }
    operation.result.float[0] = Float(partialSums.reduce(0, +))
  }
}
