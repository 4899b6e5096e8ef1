public import Compute

extension CPUBackend {
  /// A cluster at a time adds its marks' blocks in their order, whichever thread does it.
  public func run(_ operation: RememberSums) throws(ComputeError) {
    operation.checkShapes()
    let (sums, before, after) = (operation.sums, operation.before, operation.after)
    var marked = [[Int]](repeating: [], count: before.rows)
    for mark in 0..<operation.marks.count {
      marked[Int(operation.marks.int32[mark])].append(mark / BlockMarks.perBlock)
    }
    let blocksOf = marked
    rows.forEachRange(of: before.rows, rowsPerChunk: 1) { _, range in
      var sum = [Float](repeating: 0, count: sums.columns)
      for cluster in range {
        let old = before.float + cluster * before.stride
        let new = after.float + cluster * after.stride
        let blocks = blocksOf[cluster]
        if blocks.isEmpty {
          for column in sum.indices { new[column] = old[column] }
          continue
        }
        for column in sum.indices { sum[column] = 0 }
        for block in blocks {
          let values = sums.float + block * sums.stride
          for column in sum.indices { sum[column] += values[column] }
        }
        let share = 1 / Float(blocks.count)
        for column in sum.indices {
          new[column] = old[column] + operation.rate * (sum[column] * share - old[column])
        }
      }
    }
  }
}
