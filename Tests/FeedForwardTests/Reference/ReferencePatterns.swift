/// The patterns of method.md §3 and §4, written down once more, plainly, in double precision.
///
/// A mask is a matrix of zeros and ones in token order; nothing here is packed.
enum ReferencePatterns {
  /// Tokens sorted stably by the place of their nearest cluster in the row of clusters, then by how
  /// far before it the second nearest stands; ties to the lower cluster.
  static func route(_ input: Matrix, centroids: Matrix) -> [Int] {
    let scores = input * centroids.transposed
    let clusters = centroids.rows
    let nearest = (0..<input.rows).map { token in
      let ranked = (0..<clusters).sorted {
        scores[token, $0] != scores[token, $1] ? scores[token, $0] > scores[token, $1] : $0 < $1
      }
      return (ranked[0], ranked.count > 1 ? ranked[1] : 0)
    }
    let places = places(of: clusters, nearest)
    let keys = nearest.map { first, second in
      (places[first], (places[first] + clusters - places[second]) % clusters)
    }
    return (0..<input.rows).sorted {
      keys[$0] != keys[$1] ? keys[$0] < keys[$1] : $0 < $1
    }
  }

  /// Places of clusters in a row: edges between those that share most tokens, as long as no cluster
  /// gets three and none closes a ring.
  static func places(of clusters: Int, _ nearest: [(Int, Int)]) -> [Int] {
    var shared = Matrix(clusters, clusters)
    for (first, second) in nearest {
      shared[min(first, second), max(first, second)] += 1
    }
    var edges = [[Int]](repeating: [], count: clusters)
    func reaches(_ from: Int, _ to: Int, cameFrom: Int = -1) -> Bool {
      from == to
        || edges[from].contains { $0 != cameFrom && reaches($0, to, cameFrom: from) }
    }
    // Equal ones by the bits that differ, then by the lower cluster.
    var pairs: [(Int, Int)] = []
    var bits = 1
    while pairs.count < clusters * (clusters - 1) / 2 {
      pairs += (0..<clusters).filter { $0 < $0 ^ bits && $0 ^ bits < clusters }.map {
        ($0, $0 ^ bits)
      }
      bits += 1
    }
    for (first, second) in pairs.enumerated().sorted(by: {
      let (one, other) = (shared[$0.1.0, $0.1.1], shared[$1.1.0, $1.1.1])
      return one != other ? one > other : $0.offset < $1.offset
    }).map(\.element)
    where edges[first].count < 2 && edges[second].count < 2 && !reaches(first, second) {
      edges[first].append(second)
      edges[second].append(first)
    }
    var row = [edges.firstIndex { $0.count < 2 } ?? 0]
    while let next = edges[row[row.count - 1]].first(where: { !row.contains($0) }) {
      row.append(next)
    }
    return (0..<clusters).map { row.firstIndex(of: $0) ?? 0 }
  }

  /// Consecutive tokens of an order, `size` at a time; a short last block is a block.
  static func blocks(_ order: [Int], size: Int) -> [[Int]] {
    stride(from: 0, to: order.count, by: size).map {
      Array(order[$0..<min($0 + size, order.count)])
    }
  }

  /// The indices of the `keep` largest values, ascending; ties to the lower index.
  static func largest(_ values: [Double], keep: Int) -> [Int] {
    let ranked = values.indices.sorted {
      values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1
    }
    return ranked.prefix(keep).sorted()
  }

  /// Sums of A, or of A², over some tokens, for every neuron.
  static func sums(_ activation: Matrix, tokens: [Int], power: Int = 1) -> [Double] {
    (0..<activation.columns).map { neuron in
      tokens.reduce(0) {
        let value = activation[$1, neuron]
        return $0 + (power == 2 ? value * value : value)
      }
    }
  }

  /// The tokens that choose a block's neurons: positions j · v / s of its v tokens.
  static func samples(of block: [Int], count: Int, halfway: Bool = false) -> [Int] {
    let taken = min(count, block.count)
    let spacing = Double(block.count) / Double(taken)
    return (0..<taken).map { block[Int((Double($0) + (halfway ? 0.5 : 0)) * spacing)] }
  }

  /// Columns, per block the `keep` neurons with the largest sums of A, or of A², over all of its tokens, or over
  /// `samples` of them; those of the blocks before and after count by `neighbourWeight`, those of the
  /// blocks beyond by its square.
  static func columns(
    _ activation: Matrix, blocks: [[Int]], keep: Int, samples: Int? = nil, power: Int = 1,
    neighbourWeight: Double = 0
  ) -> [[Int]] {
    let own = blocks.map { block in
      sums(
        activation, tokens: samples.map { self.samples(of: block, count: $0) } ?? block,
        power: power)
    }
    return own.indices.map { index in
      var all = own[index]
      for distance in [-2, -1, 1, 2] where own.indices.contains(index + distance) {
        let weight = abs(distance) == 1 ? neighbourWeight : neighbourWeight * neighbourWeight
        for neuron in all.indices { all[neuron] += weight * own[index + distance][neuron] }
      }
      return largest(all, keep: keep)
    }
  }

  /// V:N:M, first half: per block and group of M neurons, the 4 with the largest block sums.
  static func venomColumns(_ activation: Matrix, blocks: [[Int]], m: Int) -> [[Int]] {
    blocks.map { block in
      let all = sums(activation, tokens: block)
      return stride(from: 0, to: activation.columns, by: m).flatMap { start in
        largest(Array(all[start..<start + m]), keep: 4).map { start + $0 }
      }
    }
  }

  /// The mask that keeps each block's neurons; with `n`, only the n largest of every four
  /// consecutive kept ones for each token: V:N:M, second half.
  static func mask(
    _ activation: Matrix, blocks: [[Int]], columns: [[Int]], n: Int? = nil
  ) -> Matrix {
    var mask = Matrix(activation.rows, activation.columns)
    for (block, kept) in zip(blocks, columns) {
      for token in block {
        guard let n else {
          for neuron in kept { mask[token, neuron] = 1 }
          continue
        }
        for start in stride(from: 0, to: kept.count, by: 4) {
          let four = kept[start..<start + 4]
          let winners = largest(four.map { activation[token, $0] }, keep: n)
          for winner in winners { mask[token, four[start + winner]] = 1 }
        }
      }
    }
    return mask
  }

  /// V:N:M of Aᵀ: in an order of tokens, per group of M tokens and block of `blockNeurons`
  /// neurons, the 4 tokens with the largest sums; then each neuron's n largest of those.
  static func transposedVenom(
    _ activation: Matrix, order: [Int], blockNeurons: Int, n: Int, m: Int
  ) -> Matrix {
    var mask = Matrix(activation.rows, activation.columns)
    for group in blocks(order, size: m) {
      for neurons in blocks(Array(0..<activation.columns), size: blockNeurons) {
        let tokenSums = group.map { token in
          neurons.reduce(0) { $0 + activation[token, $1] }
        }
        let four = largest(tokenSums, keep: 4).map { group[$0] }
        for neuron in neurons {
          for winner in largest(four.map { activation[$0, neuron] }, keep: n) {
            mask[four[winner], neuron] = 1
          }
        }
      }
    }
    return mask
  }

  /// Every `stretch`-th token of an order, from each of the first `stretch` places.
  static func strided(_ order: [Int], group: Int) -> [Int] {
    let stretch = (order.count + group - 1) / group
    return (0..<stretch).flatMap { start in
      stride(from: start, to: order.count, by: stretch).map { order[$0] }
    }
  }

  /// S(w): every four consecutive weights of a row lose their second smallest magnitude.
  static func softThreshold(_ weights: Matrix) -> Matrix {
    var result = weights
    for start in stride(from: 0, to: weights.values.count, by: 4) {
      let four = weights.values[start..<start + 4]
      let threshold = four.map(abs).sorted()[1]
      for index in four.indices {
        let rest = max(abs(four[index]) - threshold, 0)
        result.values[index] = four[index] < 0 ? -rest : rest
      }
    }
    return result
  }

  /// beta = <w, S(w)> / <S(w), S(w)>.
  static func scale(_ weights: Matrix) -> Double {
    let thresholded = softThreshold(weights)
    let above = weights.combined(thresholded, *).values.reduce(0, +)
    let below = thresholded.combined(thresholded, *).values.reduce(0, +)
    return above / below
  }
}
