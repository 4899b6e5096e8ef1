import Corpus
import Testing

/// The order of samples: a pure function of seed and global index.
@Suite struct StreamTests {
  /// A data set whose window w begins with base + w.
  private func dataset(windows: Int, base: UInt32 = 0) throws -> TokenDataset {
    try TokenDataset(
      [TokenArray((0...UInt32(windows)).map { base + $0 }, name: "t")], name: "t",
      sequenceLength: 1)
  }

  private func stream(_ counts: [(windows: Int, weight: Double)], seed: UInt64) throws
    -> BatchStream
  {
    BatchStream(
      try counts.enumerated().map { index, part in
        BatchStream.Part(
          try dataset(windows: part.windows, base: UInt32(index * 100_000)), weight: part.weight)
      }, seed: seed)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 15, 16, 17, 100, 257, 1000, 4096, 5000])
  func aPermutationTakesEveryIndexOnce(count: Int) {
    for seed: UInt64 in [0, 1, .max] {
      let order = Permutation(count: count, seed: seed)
      #expect(Set((0..<count).map { order[$0] }) == Set(0..<count))
    }
  }

  @Test func permutationsDifferAndMix() {
    let first = Permutation(count: 1000, seed: 1)
    let second = Permutation(count: 1000, seed: 2)
    let same = (0..<1000).count { first[$0] == second[$0] }
    #expect(same < 20)
    #expect((0..<1000).count { first[$0] == $0 } < 20)
  }

  @Test func anEpochReadsEveryWindowOnce() throws {
    let stream = try stream([(50, 1)], seed: 3)
    for epoch in 0..<3 {
      let locations = (0..<50).map { stream.location(of: epoch * 50 + $0) }
      #expect(Set(locations.map(\.window)) == Set(0..<50))
      #expect(locations.allSatisfy { $0.epoch == epoch })
    }
    let orders = (0..<2).map { epoch in (0..<50).map { stream.location(of: epoch * 50 + $0).window }
    }
    #expect(orders[0] != orders[1])
  }

  @Test func batchesAreAPureFunctionOfSeedAndIndex() throws {
    let parts = [(windows: 40, weight: 2.0), (windows: 30, weight: 1.0)]
    let one = try stream(parts, seed: 7).batch(first: 0, count: 90)
    let again = try stream(parts, seed: 7)
    // In any order, in batches of any size, from any place.
    for (first, count) in [(60, 30), (0, 1), (13, 47), (1, 12)] {
      let batch = again.batch(first: first, count: count)
      #expect(batch.firstSample == first)
      #expect(batch.tokens == Array(one.tokens[first..<first + count]))
      #expect(batch.targets == Array(one.targets[first..<first + count]))
    }
    #expect(try stream(parts, seed: 8).batch(first: 0, count: 90) != one)
    #expect(zip(one.tokens, one.targets).allSatisfy { $0 + 1 == $1 })
  }

  @Test func sharesHoldAtEveryMoment() throws {
    let weights = [5.0, 3, 2]
    let stream = try stream(weights.map { (70, $0) }, seed: 1)
    var reads = [0, 0, 0]
    for sample in 0..<3000 {
      reads[stream.location(of: sample).part] += 1
      for part in 0..<3 {
        let expected = weights[part] / 10 * Double(sample + 1)
        #expect(abs(Double(reads[part]) - expected) <= 1.5)
      }
    }
    #expect(reads == [1500, 900, 600])
  }

  @Test func everyPartIsReadEpochByEpoch() throws {
    let stream = try stream([(7, 1), (11, 3)], seed: 5)
    var windows: [[Int]] = [[], []]
    for sample in 0..<400 {
      let location = stream.location(of: sample)
      #expect(location.epoch == windows[location.part].count / [7, 11][location.part])
      windows[location.part].append(location.window)
    }
    for (part, count) in [7, 11].enumerated() {
      for start in stride(from: 0, to: windows[part].count - count, by: count) {
        #expect(Set(windows[part][start..<start + count]) == Set(0..<count))
      }
    }
  }

  @Test func theProducerGivesWhatTheStreamHas() throws {
    let stream = try stream([(64, 1), (20, 1)], seed: 2)
    for (first, size, depth) in [(0, 8, 4), (24, 5, 1), (1000, 3, 2)] {
      let producer = BatchProducer(
        stream, firstSample: first, samplesPerBatch: size, depth: depth)
      for batch in 0..<20 {
        #expect(producer.next() == stream.batch(first: first + batch * size, count: size))
      }
      producer.stop()
    }
  }
}
