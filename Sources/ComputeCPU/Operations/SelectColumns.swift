public import Compute

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
    rows.forEachChunk(sums.rows) { _, block in
      var keys = [UInt32](repeating: 0, count: width)
      let values = sums.float + block * sums.stride
      var target = columns.uint16 + block * columns.stride
      for group in stride(from: 0, to: sums.columns, by: width) {
        for index in 0..<width { keys[index] = orderedBits(values[group + index]) }
        selectLargest(keys, keep: keep, firstIndex: group, into: target)
        target += keep
      }
    }
  }

  /// Bits that compare as the numbers do: −0 equals +0, NaN is the smallest.
  private func orderedBits(_ value: Float) -> UInt32 {
    if value.isNaN { return 0 }
    let bits = (value + 0).bitPattern
    return bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
  }

  private func selectLargest(
    _ keys: [UInt32], keep: Int, firstIndex: Int, into target: UnsafeMutablePointer<UInt16>
  ) {
    if keep == keys.count {
      for index in 0..<keep { target[index] = UInt16(firstIndex + index) }
      return
    }
    let threshold = keys.count <= 64 ? smallThreshold(keys, keep) : radixThreshold(keys, keep)
    var ties = keep
    for key in keys where key > threshold { ties -= 1 }
    var written = 0
    for (index, key) in keys.enumerated() {
      if key > threshold {
        target[written] = UInt16(firstIndex + index)
        written += 1
      } else if key == threshold && ties > 0 {
        target[written] = UInt16(firstIndex + index)
        written += 1
        ties -= 1
      }
    }
  }

  /// The `keep`-th largest key of a short list.
  private func smallThreshold(_ keys: [UInt32], _ keep: Int) -> UInt32 {
    keys.sorted(by: >)[keep - 1]
  }

  /// The `keep`-th largest key, eleven, eleven and ten bits at a time.
  private func radixThreshold(_ keys: [UInt32], _ keep: Int) -> UInt32 {
    var remaining = keep
    var prefix: UInt32 = 0
    var known: UInt32 = 0
    for (shift, bits) in [(21, 11), (10, 11), (0, 10)] {
      var counts = [Int](repeating: 0, count: 1 << bits)
      let mask = UInt32(1 << bits) - 1
      for key in keys where key & known == prefix { counts[Int(key >> UInt32(shift) & mask)] += 1 }
      var digit = counts.count - 1
      while counts[digit] < remaining {
        remaining -= counts[digit]
        digit -= 1
      }
      prefix |= UInt32(digit) << UInt32(shift)
      known |= mask << UInt32(shift)
    }
    return prefix
  }
}
