/// The order in which a run sees its data: a pure function of (seed, global sample index).
///
/// Nothing needs to be saved to resume but the index. Each data set is read epoch by epoch; within
/// an epoch every window comes once, in an order of its own. Several data sets are mixed by
/// weight: sample i goes to the one that is furthest behind its share (smooth weighted choice over
/// a cycle), so that shares hold at every moment.
public struct BatchStream: Sendable {
  /// A data set and how often it is read relative to the others.
  public struct Part: Sendable {
    /// The windows.
    public let dataset: TokenDataset
    /// Any number above zero.
    public let weight: Double

    /// See the properties.
    public init(_ dataset: TokenDataset, weight: Double) {
      self.dataset = dataset
      self.weight = weight
    }
  }

  /// Inputs per sample.
  public let sequenceLength: Int
  private let parts: [Part]
  private let seed: UInt64
  /// Which part each position of the mixing cycle reads, and how many reads of that part came
  /// before it in the cycle.
  private let cycle: [(part: Int, before: Int)]
  private let readsPerCycle: [Int]

  /// Positions in a mixing cycle: weights are honoured to this resolution.
  private static let cycleLength = 1000

  /// A stream over parts that share a sequence length.
  public init(_ parts: [Part], seed: UInt64) {
    precondition(!parts.isEmpty, "a stream without data")
    precondition(parts.allSatisfy { $0.weight > 0 }, "weights above zero")
    self.parts = parts
    self.seed = seed
    sequenceLength = parts[0].dataset.sequenceLength
    let total = parts.reduce(0) { $0 + $1.weight }
    var reads = Array(repeating: 0, count: parts.count)
    var cycle: [(part: Int, before: Int)] = []
    let length = parts.count == 1 ? 1 : BatchStream.cycleLength
    for position in 1...length {
      // The part whose reads are furthest below its share; ties to the first.
      let part =
        parts.indices.max { first, second in
          let behindFirst = parts[first].weight / total * Double(position) - Double(reads[first])
          let behindSecond = parts[second].weight / total * Double(position) - Double(reads[second])
          return behindFirst < behindSecond || (behindFirst == behindSecond && first > second)
        } ?? 0
      cycle.append((part, reads[part]))
      reads[part] += 1
    }
    self.cycle = cycle
    readsPerCycle = reads
  }

  /// Which window a sample is: the part, its window, and the epoch of that part.
  public func location(of sample: Int) -> (part: Int, window: Int, epoch: Int) {
    precondition(sample >= 0, "sample \(sample)")
    let (round, position) = sample.quotientAndRemainder(dividingBy: cycle.count)
    let (part, before) = cycle[position]
    let read = round * readsPerCycle[part] + before
    let windows = parts[part].dataset.windowCount
    let (epoch, index) = read.quotientAndRemainder(dividingBy: windows)
    let order = Permutation(
      count: windows,
      seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(part) &* 0xD1B5_4A32_D192_ED03
        &+ UInt64(epoch))
    return (part, order[index], epoch)
  }

  /// Inputs and targets of consecutive samples, one after the other.
  public func batch(first: Int, count: Int) -> TokenBatch {
    var inputs = [Int32](repeating: 0, count: count * sequenceLength)
    var targets = inputs
    inputs.withUnsafeMutableBufferPointer { allInputs in
      targets.withUnsafeMutableBufferPointer { allTargets in
        guard let ids = allInputs.baseAddress, let next = allTargets.baseAddress else { return }
        for sample in 0..<count {
          let (part, window, _) = location(of: first + sample)
          parts[part].dataset.window(
            window, inputs: ids + sample * sequenceLength,
            targets: next + sample * sequenceLength)
        }
      }
    }
    return TokenBatch(firstSample: first, tokens: inputs, targets: targets)
  }
}

/// Some samples of a stream.
public struct TokenBatch: Sendable, Equatable {
  /// Global index of the first sample.
  public let firstSample: Int
  /// Ids, sample after sample.
  public let tokens: [Int32]
  /// The id after each.
  public let targets: [Int32]
}
