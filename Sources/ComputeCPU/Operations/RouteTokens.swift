public import Compute
import CPUKernels

extension CPUBackend {
  /// Scores by a product, the two nearest clusters by one pass over them, the row of clusters, then a
  /// counting sort by the steps to the second cluster and one by the place of the first: stable, and
  /// linear in the number of tokens.
  public func run(_ operation: RouteTokens) throws(ComputeError) {
    operation.checkShapes()
    let scores = operation.scores
    let tokens = scores.rows
    let clusters = scores.columns
    guard tokens > 0 else { return }
    try run(operation.product)
    var (nearest, second) = twoNearest(scores)
    let clusterOf = nearest
    var places: [Int32]?
    if let given = operation.places {
      places = (0..<clusters).map { given.int32[$0] }
    } else if clusters <= RouteTokens.longestRow {
      places = placesInRow(nearest, second, clusters: clusters)
    }
    if let places {
      for token in 0..<tokens {
        nearest[token] = places[Int(nearest[token])]
        second[token] = places[Int(second[token])]
      }
    }
    for token in 0..<tokens {
      let steps = nearest[token] - second[token]
      second[token] = steps < 0 ? steps + Int32(clusters) : steps
      if operation.places != nil {
        second[token] = second[token] * Int32(operation.levels) / Int32(clusters)
      }
    }
    let bySteps = stableOrder(0..<tokens, keys: second, buckets: clusters)
    let sorted = stableOrder(bySteps, keys: nearest, buckets: clusters)
    let order = operation.order.int32
    for (position, token) in sorted.enumerated() { order[position] = Int32(token) }
    guard let marks = operation.marks else { return }
    for mark in 0..<marks.clusters.count {
      marks.clusters.int32[mark] = clusterOf[sorted[marks.position(mark, tokens: tokens)]]
    }
  }

  /// The places of clusters that share these tokens.
  func placesInRow(_ nearest: [Int32], _ second: [Int32], clusters: Int) -> [Int32] {
    var shared = [Int](repeating: 0, count: clusters * clusters)
    for token in nearest.indices {
      shared[Int(nearest[token]) * clusters + Int(second[token])] += 1
    }
    return ClusterRow(shared: shared, clusters: clusters).places.map { Int32($0) }
  }

  /// The clusters of every token's largest score and of its second largest.
  func twoNearest(_ scores: TensorView) -> (nearest: [Int32], second: [Int32]) {
    var nearest = [Int32](repeating: 0, count: scores.rows)
    var second = nearest
    nearest.withUnsafeMutableBufferPointer { first in
      second.withUnsafeMutableBufferPointer { other in
        guard let first = first.baseAddress, let other = other.baseAddress else { return }
        rows.forEachRange(of: scores.rows, rowsPerChunk: 256) { _, range in
          var keys = [Int32](repeating: 0, count: scores.columns)
          for token in range {
            krait_two_largest(
              scores.float + token * scores.stride, scores.columns, &keys, first + token,
              other + token)
          }
        }
      }
    }
    return (nearest, second)
  }

  private func stableOrder(
    _ items: some Collection<Int>, keys: [Int32], buckets: Int
  ) -> [Int] {
    var starts = [Int](repeating: 0, count: buckets + 1)
    for item in items { starts[Int(keys[item]) + 1] += 1 }
    for bucket in 0..<buckets { starts[bucket + 1] += starts[bucket] }
    var result = [Int](repeating: 0, count: items.count)
    for item in items {
      let bucket = Int(keys[item])
      result[starts[bucket]] = item
      starts[bucket] += 1
    }
    return result
  }
}
