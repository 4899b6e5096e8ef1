public import Compute
import CPUKernels

extension CPUBackend {
  /// The product of a block, or of some short ones, with some hundred neurons at a time, in a lane's
  /// scratch memory; then rows are added in ascending position. Always in float32.
  public func run(_ operation: BlockEnergies) throws(ComputeError) {
    operation.checkShapes()
    let (input, weights, sums) = (operation.input, operation.weights, operation.sums)
    let sum = operation.squares ? krait_sum_squares_of_rows : krait_sum_rows
    let sliceColumns = 512
    let slices = (sums.columns + sliceColumns - 1) / sliceColumns
    let blocks = max(1, 128 / operation.blockRows)
    let most = min(blocks * operation.blockRows, input.rows)
    scratch.reserve(bytes: MatrixLibrary.workspaceBytes + most * sliceColumns * 4)
    rows.forEachChunk((sums.rows + blocks - 1) / blocks * slices) { lane, chunk in
      let (stretch, slice) = chunk.quotientAndRemainder(dividingBy: slices)
      let (first, start) = (stretch * blocks * operation.blockRows, slice * sliceColumns)
      let tokens = min(most, input.rows - first)
      let count = min(sliceColumns, sums.columns - start)
      let activation = (scratch[lane] + MatrixLibrary.workspaceBytes)
        .bindMemory(to: Float.self, capacity: tokens * count)
      krait_sgemm(
        library.family, tokens, count, input.columns,
        krait_matrix(
          base: input.float + first * input.stride, stride: input.stride, rows32: nil, rows16: nil,
          transposed: 0),
        krait_matrix(
          base: weights.float + start * weights.stride, stride: weights.stride, rows32: nil,
          rows16: nil, transposed: 1),
        krait_output(base: activation, stride: count, rows32: nil, rows16: nil), 1, 0,
        KRAIT_EPILOGUE_SQUARED_RELU, nil, 0, scratch[lane])
      for block in stretch * blocks..<min((stretch + 1) * blocks, sums.rows) {
        let row = block * operation.blockRows - first
        sum(
          activation + row * count, count, min(operation.blockRows, tokens - row), count,
          sums.float + block * sums.stride + start)
      }
    }
  }
}
