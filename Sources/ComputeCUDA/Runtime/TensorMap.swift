import CUDAInterface
import Compute

extension CUDADevice {
  /// How Hopper's copy engine reads a bfloat16 matrix: boxes of 64 columns and so many rows, into
  /// 128-byte-swizzled shared memory; zeros outside of the matrix. 16 words, one kernel argument.
  func tensorMap(_ view: TensorView, boxRows: Int) throws(ComputeError) -> [UInt64] {
    let map = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
    defer { map.deallocate() }
    let code = driver.pointee.tensor_map(
      map, Int32(KRAIT_CU_TENSOR_MAP_BFLOAT16), 2, view.address,
      [UInt64(view.columns), UInt64(view.rows)], [UInt64(view.stride * 2)],
      [64, UInt32(boxRows)], [1, 1], 0, Int32(KRAIT_CU_TENSOR_MAP_SWIZZLE_128),
      Int32(KRAIT_CU_TENSOR_MAP_PROMOTE_256), 0)
    try check(code, "cuTensorMapEncodeTiled", "describing \(view) to the copy engine")
    return (0..<16).map { map.load(fromByteOffset: 8 * $0, as: UInt64.self) }
  }
}
