public import Compute

extension CPUBackend {
  /// Scores by a product, the nearest by one pass over them, then a cluster at a time adds its rows in
  /// their order, whichever thread does it.
  public func run(_ operation: MoveCentroids) throws(ComputeError) {
    operation.checkShapes()
    let (input, moved) = (operation.input, operation.moved)
    let clusters = moved.rows
    try run(operation.product)
    let nearest = twoNearest(operation.scores).nearest
    var members = [[Int]](repeating: [], count: clusters)
    for token in nearest.indices { members[Int(nearest[token])].append(token) }
    let rowsOf = members
    rows.forEachRange(of: clusters, rowsPerChunk: 1) { _, range in
      var sum = [Float](repeating: 0, count: moved.columns)
      for cluster in range {
        let own = rowsOf[cluster]
        for column in sum.indices { sum[column] = 0 }
        for row in own.count < operation.fewestRows ? [operation.freshRow(of: cluster)] : own {
          let values = input.float + row * input.stride
          for column in sum.indices { sum[column] += values[column] }
        }
        let squares = sum.reduce(Float(0)) { $0 + $1 * $1 }
        let old = operation.centroids.float + cluster * operation.centroids.stride
        let new = moved.float + cluster * moved.stride
        let hasDirection = squares > 0 && squares.isFinite
        let scale = hasDirection ? 1 / squares.squareRoot() : 0
        for column in sum.indices { new[column] = hasDirection ? sum[column] * scale : old[column] }
      }
    }
  }
}
