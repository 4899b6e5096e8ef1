public import Compute
import CPUKernels

extension CPUBackend {
  /// Each lane owns a slice of the gradient's columns and goes through the blocks in order:
  /// reproducible, without atomics, whatever the number of threads.
  ///
  /// A slice repacks the packed values of every block, K·V numbers for K·V·slice multiply-adds;
  /// slices of 128 columns keep that to a few per cent and give 16 cores work at d 2048.
  public func run(_ operation: PackedWeightGradient) throws(ComputeError) {
    operation.checkShapes()
    let gradient = operation.weightGradient
    let pattern = operation.pattern
    scratch.reserve(bytes: MatrixLibrary.workspaceBytes)
    rows.forEachRange(of: gradient.columns, rowsPerChunk: sliceColumns(gradient.columns)) {
      lane, slice in
      for index in 0..<pattern.columns.rows {
        let block = PackedBlock(pattern, block: index, tokens: operation.rows.rows)
        krait_sgemm(
          library.family, operation.packed.columns, slice.count, block.positions.count,
          block.packedRows(operation.packed, transposed: true),
          block.tokenRows(
            operation.rows, firstColumn: slice.lowerBound, transposed: false),
          krait_output(
            base: gradient.float + slice.lowerBound, stride: gradient.stride, rows32: nil,
            rows16: block.columns), 1, 1, KRAIT_EPILOGUE_NONE, nil, 0, scratch[lane])
      }
    }
  }

  /// Columns of a slice: about a quarter of the width, a multiple of 32, 128 at least.
  private func sliceColumns(_ width: Int) -> Int {
    max(128, (width / 4 + 31) / 32 * 32)
  }
}
