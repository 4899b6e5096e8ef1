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
    let keyBytes = 2 * width * MemoryLayout<UInt32>.stride
    let countsNeighbours = operation.neighbourWeight != 0
    scratch.reserve(bytes: keyBytes + (countsNeighbours ? sums.columns * 4 : 0))
    rows.forEachChunk(sums.rows) { lane, block in
      let keys = scratch[lane].assumingMemoryBound(to: UInt32.self)
      var values = sums.float + block * sums.stride
      if countsNeighbours {
        let own = values
        values = (scratch[lane] + keyBytes).assumingMemoryBound(to: Float.self)
        values.update(from: own, count: sums.columns)
        let near = operation.neighbourWeight
        for (distance, weight) in [(-1, near), (1, near), (-2, near * near), (2, near * near)]
        where (0..<sums.rows).contains(block + distance) {
          let row = sums.float + (block + distance) * sums.stride
          for column in 0..<sums.columns { values[column] += weight * row[column] }
        }
      }
      var target = columns.uint16 + block * columns.stride
      for group in stride(from: 0, to: sums.columns, by: width) {
        krait_select_largest(values + group, width, keep, group, keys, target)
        target += keep
      }
    }
  }
}
