import Compute
import Glibc

/// Balanced k-means of neurons by the direction of their rows of U.
///
/// Every cluster takes ⌊f / C⌋ neurons, and f mod C of them one more. In each round all (neuron,
/// centroid) pairs are visited in the order of falling cosine, ties by neuron, then centroid; a
/// pair is taken when the neuron is free and the cluster not full. The result depends on the
/// weights alone.
public struct NeuronClusters: Sendable, Equatable {
  /// Cluster of every neuron.
  public let assignment: [Int]
  /// The normalised mean of each cluster's normalised rows, [C, d].
  public let centroids: [Float]
  /// The number of clusters.
  public let count: Int

  /// Clusters the rows of U.
  ///
  /// - Parameters:
  ///   - rows: U, [f, d].
  ///   - width: d.
  ///   - clusters: C, at most f.
  ///   - rounds: most rounds of assigning and averaging; it ends early when nothing changes.
  ///   - seeds: centroids to start from, [C, d], as an earlier clustering left them; nil starts
  ///     from single neurons, evenly spaced.
  ///   - threads: of the host, at most; they do not change the result.
  ///   - similarities: product of two row-major matrices, U [f, d] and [C, d] → [f, C].
  public init(
    rows: [Float], width: Int, clusters: Int, rounds: Int = 6, seeds: [Float]? = nil,
    threads: Int = 1,
    similarities: (_ neurons: [Float], _ centroids: [Float]) throws -> [Float]
  ) rethrows {
    let neurons = width > 0 ? rows.count / width : 0
    precondition(clusters >= 1 && clusters <= neurons, "\(clusters) clusters, \(neurons) neurons")
    let scales = NeuronClusters.inverseLengths(rows, width: width, threads: threads)
    var centroids = seeds ?? []
    precondition(seeds == nil || centroids.count == clusters * width, "seeds of other sizes")
    if seeds == nil {
      for cluster in 0..<clusters {
        let neuron = cluster * neurons / clusters
        centroids += rows[neuron * width..<(neuron + 1) * width].map { $0 * scales[neuron] }
      }
    }
    var assignment: [Int] = []
    for _ in 0..<rounds {
      let scores = try similarities(rows, centroids)
      let next = NeuronClusters.assign(
        scores, scales: scales, clusters: clusters, threads: threads)
      if next == assignment { break }
      assignment = next
      centroids = NeuronClusters.means(
        rows, scales: scales, assignment, width: width, clusters: clusters, threads: threads)
    }
    self.assignment = assignment
    self.centroids = centroids
    count = clusters
  }

  /// Neurons in each cluster.
  public var sizes: [Int] {
    var sizes = Array(repeating: 0, count: count)
    for cluster in assignment { sizes[cluster] += 1 }
    return sizes
  }

  /// New position → old neuron, clusters one after the other, neurons in order within.
  public var contiguousOrder: [Int] {
    assignment.indices.sorted { (assignment[$0], $0) < (assignment[$1], $1) }
  }

  /// New position → old neuron, one neuron of every cluster in turn: consecutive neurons come
  /// from different clusters, as the groups of V:N:M want them.
  ///
  /// Turns begin with the larger clusters, so that the last turn, which only those have a neuron
  /// for, goes on like every other: any C consecutive neurons are of C clusters.
  public var interleavedOrder: [Int] {
    let sizes = sizes
    let turn = sizes.indices.sorted { (-sizes[$0], $0) < (-sizes[$1], $1) }
    var place = Array(repeating: 0, count: count)
    for (index, cluster) in turn.enumerated() { place[cluster] = index }
    var seen = Array(repeating: 0, count: count)
    let rank = assignment.map { cluster in
      defer { seen[cluster] += 1 }
      return seen[cluster]
    }
    return assignment.indices.sorted {
      (rank[$0], place[assignment[$0]]) < (rank[$1], place[assignment[$1]])
    }
  }

  /// The greedy assignment without sorting all pairs: a heap holds every free neuron's best pair whose
  /// cluster is open, and pairs leave it in the order in which a sorted list would be visited. A pair
  /// whose cluster was filled in the meantime is replaced by the neuron's next one.
  private static func assign(
    _ scores: [Float], scales: [Float], clusters: Int, threads: Int
  ) -> [Int] {
    let neurons = scales.count
    precondition(
      scores.count == neurons * clusters && scores.count < 1 << 32, "scores of all pairs")
    var assignment = Array(repeating: -1, count: neurons)
    var sizes = Array(repeating: 0, count: clusters)
    var isFull = Array(repeating: false, count: clusters)
    let share = neurons / clusters
    var larger = neurons % clusters
    let open = isFull
    var heap = PairHeap(
      eachInParallel(neurons, threads: threads) { bestPair(of: $0, scores, scales[$0], open) })
    while let pair = heap.first {
      let (neuron, cluster) = Int(pair & 0xFFFF_FFFF).quotientAndRemainder(dividingBy: clusters)
      guard !isFull[cluster] else {
        heap.replaceFirst(by: bestPair(of: neuron, scores, scales[neuron], isFull))
        continue
      }
      heap.removeFirst()
      assignment[neuron] = cluster
      sizes[cluster] += 1
      if sizes[cluster] > share { larger -= 1 }
      if larger == 0 {
        for index in sizes.indices where sizes[index] >= share { isFull[index] = true }
      } else if sizes[cluster] > share {
        isFull[cluster] = true
      }
    }
    return assignment
  }

  /// A number that rises as the cosine of a pair falls, NaN last, then with the pair's index, which is
  /// its lower half: the least of a neuron's pairs whose cluster is open.
  private static func bestPair(
    of neuron: Int, _ scores: [Float], _ scale: Float, _ isFull: [Bool]
  ) -> UInt64 {
    var best = UInt64.max
    let first = neuron * isFull.count
    for cluster in isFull.indices {
      let score = scores[first + cluster] * scale
      let bits = (score.isNaN ? -Float.infinity : score + 0).bitPattern
      let falling = bits & 0x8000_0000 == 0 ? ~(bits | 0x8000_0000) : bits
      let pair = UInt64(falling) << 32 | UInt64(first + cluster)
      best = min(best, isFull[cluster] ? .max : pair)
    }
    return best
  }

  /// A cluster's neurons are added in their order, whichever thread does it.
  private static func means(
    _ rows: [Float], scales: [Float], _ assignment: [Int], width: Int, clusters: Int,
    threads: Int
  ) -> [Float] {
    var members = [[Int]](repeating: [], count: clusters)
    for (neuron, cluster) in assignment.enumerated() { members[cluster].append(neuron) }
    let neuronsOf = members
    let means = eachInParallel(clusters, chunk: 1, threads: threads) { cluster in
      var sum = Array(repeating: Float(0), count: width)
      sum.withUnsafeMutableBufferPointer { sum in
        rows.withUnsafeBufferPointer { rows in
          for neuron in neuronsOf[cluster] {
            let (row, scale) = (
              rows.extracting(neuron * width..<(neuron + 1) * width), scales[neuron]
            )
            for column in 0..<width { sum[column] += row[column] * scale }
          }
        }
      }
      let length = inverseLength(sum[...])
      return sum.map { $0 * length }
    }
    return Array(means.joined())
  }

  /// 1 / |row| of every row; 1 of rows that have no direction.
  private static func inverseLengths(_ rows: [Float], width: Int, threads: Int) -> [Float] {
    eachInParallel(width > 0 ? rows.count / width : 0, threads: threads) {
      inverseLength(rows[$0 * width..<($0 + 1) * width])
    }
  }

  private static func inverseLength(_ row: ArraySlice<Float>) -> Float {
    var squares: Double = 0
    for value in row { squares += Double(value) * Double(value) }
    return squares > 0 && squares.isFinite ? Float(1 / squares.squareRoot()) : 1
  }

  /// The values of a pure function.
  private static func eachInParallel<Value>(
    _ count: Int, chunk: Int = 128, threads: Int, _ value: (Int) -> Value
  ) -> [Value] {
    [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      ParallelRows(threads: threads).forEachRange(of: count, rowsPerChunk: chunk) { _, items in
        for item in items { buffer.initializeElement(at: item, to: value(item)) }
      }
      initialized = count
    }
  }
}
