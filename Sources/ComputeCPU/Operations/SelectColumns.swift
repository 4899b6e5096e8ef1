public import Compute
import CPUKernels

extension CPUBackend {
  /// Finds the smallest kept value of each group by radix selection on ordered bits, then takes
  /// everything above it and the first ties: linear in f, ascending by construction.
  public func run(_ operation: SelectColumns) throws(ComputeError) {
    operation.checkShapes()
    let sums = operation.sums
    let columns = operation.columns
    let width = operation.groupWidth
    let keep = operation.keepPerGroup
    guard keep > 0 else { return }
    let scratch = scratch
    scratch.reserve(bytes: 2 * width * MemoryLayout<UInt32>.stride)
    rows.forEachChunk(sums.rows) { lane, block in
      let keys = scratch[lane].assumingMemoryBound(to: UInt32.self)
      let values = sums.float + block * sums.stride
      var target = columns.uint16 + block * columns.stride
      for group in stride(from: 0, to: sums.columns, by: width) {
        krait_select_largest(values + group, width, keep, group, keys, target)
        target += keep
      }
    }
  }
}
