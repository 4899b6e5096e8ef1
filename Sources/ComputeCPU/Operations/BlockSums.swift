public import Compute
import CPUKernels

extension CPUBackend {
  /// Adds the rows of each block in ascending position; a few thousand columns at a time, so that
  /// sums stay in cache.
  public func run(_ operation: BlockSums) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    let sums = operation.sums
    let sliceColumns = 1024
    let slices = (sums.columns + sliceColumns - 1) / sliceColumns
    rows.forEachChunk(sums.rows * slices) { _, chunk in
      let (block, slice) = chunk.quotientAndRemainder(dividingBy: slices)
      let start = slice * sliceColumns
      let count = min(sliceColumns, sums.columns - start)
      let first = block * operation.blockRows
      let sum = operation.squares ? krait_sum_squares_of_rows : krait_sum_rows
      sum(
        values.float + first * values.stride + start, values.stride,
        min(operation.blockRows, values.rows - first), count,
        sums.float + block * sums.stride + start)
    }
  }
}
