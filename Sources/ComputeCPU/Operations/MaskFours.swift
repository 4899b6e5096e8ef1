public import Compute
import CPUKernels

extension CPUBackend {
  /// A value stays when fewer than `keep` of its four are larger, or equal and earlier.
  public func run(_ operation: MaskFours) throws(ComputeError) {
    operation.checkShapes()
    let values = operation.values
    rows.forEachRange(of: values.rows, rowsPerChunk: 32) { _, range in
      for row in range {
        krait_mask_fours(
          values.float + row * values.stride, values.columns, Int32(operation.keep))
      }
    }
  }
}
