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
    let countsOthers = operation.neighbourWeight != 0 || operation.remembered != nil
    scratch.reserve(bytes: keyBytes + (countsOthers ? sums.columns * 4 : 0))
    rows.forEachChunk(sums.rows) { lane, block in
      let keys = scratch[lane].assumingMemoryBound(to: UInt32.self)
      var values = sums.float + block * sums.stride
      if countsOthers {
        let own = values
        values = (scratch[lane] + keyBytes).assumingMemoryBound(to: Float.self)
        values.update(from: own, count: sums.columns)
        let near = operation.neighbourWeight
        for (distance, weight) in [(-1, near), (1, near), (-2, near * near), (2, near * near)]
        where weight != 0 && (0..<sums.rows).contains(block + distance) {
          let row = sums.float + (block + distance) * sums.stride
          for column in 0..<sums.columns { values[column] += weight * row[column] }
        }
        if let remembered = operation.remembered {
          let marks = remembered.marks.int32 + block * remembered.marks.stride
          let rows = (0..<BlockMarks.perBlock).map {
            remembered.sums.float + Int(marks[$0]) * remembered.sums.stride
          }
          let (first, second, third, fourth) = (rows[0], rows[1], rows[2], rows[3])
          for column in 0..<sums.columns {
            values[column] +=
              0.25 * (((first[column] + second[column]) + third[column]) + fourth[column])
          }
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
