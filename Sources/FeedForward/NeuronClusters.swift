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
  ///   - similarities: product of two row-major matrices, [f, d] and [C, d] → [f, C].
  public init(
    rows: [Float], width: Int, clusters: Int, rounds: Int = 6, seeds: [Float]? = nil,
    similarities: (_ neurons: [Float], _ centroids: [Float]) throws -> [Float]
  ) rethrows {
    let neurons = width > 0 ? rows.count / width : 0
    precondition(clusters >= 1 && clusters <= neurons, "\(clusters) clusters, \(neurons) neurons")
    var unit = rows
    NeuronClusters.normalise(&unit, width: width)
    var centroids = seeds ?? []
    precondition(seeds == nil || centroids.count == clusters * width, "seeds of other sizes")
    if seeds == nil {
      for cluster in 0..<clusters {
        let neuron = cluster * neurons / clusters
        centroids += unit[neuron * width..<(neuron + 1) * width]
      }
    }
    var assignment: [Int] = []
    for _ in 0..<rounds {
      let scores = try similarities(unit, centroids)
      let next = NeuronClusters.assign(scores, neurons: neurons, clusters: clusters)
      if next == assignment { break }
      assignment = next
      centroids = NeuronClusters.means(unit, assignment, width: width, clusters: clusters)
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

  private static func assign(_ scores: [Float], neurons: Int, clusters: Int) -> [Int] {
    // A key for each pair that rises while the cosine falls; NaN comes last.
    let keys = scores.map { score in
      let bits = (score.isNaN ? -Float.infinity : score + 0).bitPattern
      return bits & 0x8000_0000 == 0 ? ~(bits | 0x8000_0000) : bits
    }
    var assignment = Array(repeating: -1, count: neurons)
    var sizes = Array(repeating: 0, count: clusters)
    var free = neurons
    let share = neurons / clusters
    var larger = neurons % clusters
    for pair in rising(keys) {
      if free == 0 { break }
      let (neuron, cluster) = Int(pair).quotientAndRemainder(dividingBy: clusters)
      guard assignment[neuron] < 0 else { continue }
      if sizes[cluster] == share && larger > 0 {
        larger -= 1
      } else if sizes[cluster] >= share {
        continue
      }
      assignment[neuron] = cluster
      sizes[cluster] += 1
      free -= 1
    }
    return assignment
  }

  /// The indices of keys in rising order, equal ones in theirs: eleven bits at a time, several times
  /// faster than comparing for the hundreds of thousands of pairs of a layer.
  private static func rising(_ keys: [UInt32]) -> [UInt32] {
    var order = keys.indices.map { UInt32($0) }
    var next = order
    for shift in [UInt32(0), 11, 22] {
      var starts = [Int](repeating: 0, count: 2049)
      for key in keys { starts[Int(key >> shift & 2047) + 1] += 1 }
      for digit in 1...2048 { starts[digit] += starts[digit - 1] }
      for index in order {
        let digit = Int(keys[Int(index)] >> shift & 2047)
        next[starts[digit]] = index
        starts[digit] += 1
      }
      swap(&order, &next)
    }
    return order
  }

  private static func means(
    _ unit: [Float], _ assignment: [Int], width: Int, clusters: Int
  ) -> [Float] {
    var sums = Array(repeating: Float(0), count: clusters * width)
    sums.withUnsafeMutableBufferPointer { sums in
      unit.withUnsafeBufferPointer { unit in
        for (neuron, cluster) in assignment.enumerated() {
          let sum = sums.extracting(cluster * width..<(cluster + 1) * width)
          let row = unit.extracting(neuron * width..<(neuron + 1) * width)
          for column in 0..<width { sum[column] += row[column] }
        }
      }
    }
    normalise(&sums, width: width)
    return sums
  }

  /// Scales every row to length 1; a zero row stays zero.
  static func normalise(_ rows: inout [Float], width: Int) {
    guard width > 0 else { return }
    for start in Swift.stride(from: 0, to: rows.count, by: width) {
      var squares: Double = 0
      for column in start..<start + width { squares += Double(rows[column]) * Double(rows[column]) }
      guard squares > 0 && squares.isFinite else { continue }
      let scale = Float(1 / squares.squareRoot())
      for column in start..<start + width { rows[column] *= scale }
    }
  }
}
