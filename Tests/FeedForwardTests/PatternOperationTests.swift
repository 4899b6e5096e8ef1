import Compute
import ComputeCPU
import Testing

/// Laws of the operations that patterns are made of.
@Suite struct PatternOperationTests {
  private let backend = CPUBackend(threads: 2)

  /// A view that holds values, and the memory behind it.
  private func view<Element: BitwiseCopyable>(
    _ rows: Int, _ columns: Int, _ values: [Element], _ type: ElementType = .float32
  ) throws -> (view: TensorView, arena: Arena) {
    let arena = try Arena(
      byteCount: Arena.bytes(rows: rows, columns: columns, type), on: backend, purpose: "test")
    let view = arena.take(rows: rows, columns: columns, type)
    try backend.write(values, to: view)
    return (view, arena)
  }

  private func selected(
    _ sums: [Float], group: Int, keep: Int
  ) throws -> [Int] {
    let source = try view(1, sums.count, sums)
    let kept = sums.count / group * keep
    let target = try view(1, kept, [UInt16](repeating: 0, count: kept), .uint16)
    try backend.run(
      SelectColumns(
        sums: source.view, groupWidth: group, keepPerGroup: keep, columns: target.view))
    return try backend.read(target.view, as: UInt16.self).map(Int.init)
  }

  @Test func unpackingWhatWasPackedGivesTheMaskedValues() throws {
    var random = TestRandom(5)
    let (tokens, hidden, kept, block) = (37, 30, 11, 8)
    let values = try view(tokens, hidden, random.values(tokens * hidden, whole: false))
    let order = try view(
      1, tokens, (0..<tokens).map { Int32(($0 * 16 + 5) % tokens) }, .int32)
    var lists: [UInt16] = []
    for _ in 0..<5 {
      let sums = (0..<hidden).map { _ in Double(random.real()) }
      lists += ReferencePatterns.largest(sums, keep: kept).map(UInt16.init)
    }
    let columns = try view(5, kept, lists, .uint16)
    let packed = try view(tokens, kept, random.values(tokens * kept, whole: false))
    let unpacked = try view(tokens, hidden, random.values(tokens * hidden, whole: false))
    for order in [order.view, nil] {
      let pattern = PackedPattern(order: order, columns: columns.view, blockTokens: block)
      try backend.run(PackColumns(values: values.view, pattern: pattern, packed: packed.view))
      try backend.run(UnpackColumns(packed: packed.view, pattern: pattern, values: unpacked.view))
      let all: [Float] = try backend.read(values.view)
      let masked: [Float] = try backend.read(unpacked.view)
      let positions = try order.map { try backend.read($0, as: Int32.self).map(Int.init) }
      for position in 0..<tokens {
        let token = positions?[position] ?? position
        let list = lists[position / block * kept..<(position / block + 1) * kept]
        for neuron in 0..<hidden {
          let expected = list.contains(UInt16(neuron)) ? all[token * hidden + neuron] : 0
          #expect(masked[token * hidden + neuron] == expected)
        }
      }
      // And the other way round: packing the unpacked is the identity.
      let again = try view(tokens, kept, [Float](repeating: 9, count: tokens * kept))
      try backend.run(PackColumns(values: unpacked.view, pattern: pattern, packed: again.view))
      let first: [Float] = try backend.read(packed.view)
      #expect(try backend.read(again.view) == first)
    }
  }

  @Test func alignedListsGiveTheSameSums() throws {
    var random = TestRandom(6)
    let (tokens, hidden, kept, block, width) = (50, 40, 13, 8, 9)
    let values = try view(tokens, hidden, random.values(tokens * hidden, whole: false))
    let rows = try view(tokens, width, random.values(tokens * width, whole: false))
    let weights = try view(hidden, width, random.values(hidden * width, whole: false))
    var lists: [UInt16] = []
    for _ in 0..<7 {
      let sums = (0..<hidden).map { _ in Double(random.real()) }
      lists += ReferencePatterns.largest(sums, keep: kept).map(UInt16.init)
    }
    var results: [(gradient: [Float], output: [Float])] = []
    for chain in [1, 4] {
      let columns = try view(7, kept, lists, .uint16)
      try backend.run(AlignColumns(columns: columns.view, chain: chain))
      let pattern = PackedPattern(
        order: nil, columns: columns.view, blockTokens: block, isAscending: chain == 1)
      let packed = try view(tokens, kept, [Float](repeating: 9, count: tokens * kept))
      let gradient = try view(hidden, width, [Float](repeating: 1, count: hidden * width))
      let output = try view(tokens, width, [Float](repeating: 9, count: tokens * width))
      try backend.run(PackColumns(values: values.view, pattern: pattern, packed: packed.view))
      try backend.run(
        PackedWeightGradient(
          packed: packed.view, rows: rows.view, pattern: pattern, weightGradient: gradient.view))
      try backend.run(
        PackedProduct(
          packed: packed.view, weights: weights.view, pattern: pattern, output: output.view))
      results.append((try backend.read(gradient.view), try backend.read(output.view)))
      // What a list holds does not change, and somewhere its order does.
      let now = try backend.read(columns.view, as: UInt16.self)
      for start in stride(from: 0, to: lists.count, by: kept) {
        #expect(now[start..<start + kept].sorted() == Array(lists[start..<start + kept]))
      }
      #expect((now == lists) == (chain == 1))
    }
    #expect(results[0].gradient == results[1].gradient)
    for (a, b) in zip(results[0].output, results[1].output) { #expect(abs(a - b) < 1e-4) }
  }

  @Test func tiesGoToTheLowerIndexAndMinusZeroTiesWithZero() throws {
    #expect(try selected([1, 1, 1, 1, 1, 1], group: 6, keep: 3) == [0, 1, 2])
    #expect(try selected([0, 2, 1, 2, 1, 1], group: 6, keep: 3) == [1, 2, 3])
    #expect(try selected([-0.0, 0, -0.0, 0], group: 4, keep: 2) == [0, 1])
    #expect(try selected([0, -0.0, 3, -0.0, 3, 3, 3, 3], group: 4, keep: 2) == [0, 2, 4, 5])
    // Long enough for the other way of selecting.
    let long = (0..<1000).map { Float($0 % 3) }
    let expected = ReferencePatterns.largest(long.map(Double.init), keep: 400)
    #expect(try selected(long, group: 1000, keep: 400) == expected)
  }

  @Test(arguments: 1...40)
  func selectionEqualsASort(seed: Int) throws {
    var random = TestRandom(UInt64(seed))
    let group = 4 + random.below(90)
    let groups = 1 + random.below(3)
    let keep = 1 + random.below(group)
    let sums = (0..<group * groups).map { _ in
      seed % 2 == 0 ? random.real() : Float(random.below(6) - 2)
    }
    let expected = (0..<groups).flatMap { index in
      ReferencePatterns.largest(
        sums[index * group..<(index + 1) * group].map(Double.init), keep: keep
      ).map { index * group + $0 }
    }
    #expect(try selected(sums, group: group, keep: keep) == expected)
  }

  /// Every order of magnitudes with every pattern of ties and signs, all N.
  @Test(arguments: 1...4)
  func maskingFoursOnEveryPattern(keep: Int) throws {
    let groups = PatternOperationTests.everyFour
    let flat = groups.flatMap { $0.map { abs($0) } }
    let values = try view(groups.count / 16, 64, flat)
    try backend.run(MaskFours(values: values.view, keep: keep))
    let masked: [Float] = try backend.read(values.view)
    for (index, group) in groups.enumerated() {
      let magnitudes = group.map { abs(Double($0)) }
      let kept = ReferencePatterns.largest(magnitudes, keep: keep)
      for slot in 0..<4 {
        let expected = kept.contains(slot) ? Float(magnitudes[slot]) : 0
        #expect(masked[index * 4 + slot] == expected, "\(group)")
        #expect(masked[index * 4 + slot].sign == .plus)
      }
    }
  }

  @Test func softThresholdOnEveryFour() throws {
    let groups = PatternOperationTests.everyFour
    let source = try view(groups.count / 16, 64, groups.flatMap { $0 })
    let target = try view(groups.count / 16, 64, [Float](repeating: 7, count: groups.count * 4))
    try backend.run(SoftThreshold(weights: source.view, output: target.view, scale: 1.5))
    let result: [Float] = try backend.read(target.view)
    let all = Matrix(groups.count, 4, floats: groups.flatMap { $0 })
    let expected = ReferencePatterns.softThreshold(all).map { 1.5 * $0 }
    #expect(expected.error(of: result) == 0)
    for index in groups.indices {
      #expect(result[index * 4..<index * 4 + 4].count { $0 != 0 } <= 2)
    }
    let moments = try view(1, 2, [0, 0] as [Float])
    try backend.run(SoftThresholdMoments(weights: source.view, result: moments.view))
    let two: [Float] = try backend.read(moments.view)
    let beta = Double(two[0]) / Double(two[1])
    #expect(abs(beta - ReferencePatterns.scale(all)) < 1e-6)
  }

  /// Four magnitudes out of 0, 1, 2, 3, each with either sign: −0 and all ties among them.
  static let everyFour: [[Float]] = (0..<4096).map { code in
    (0..<4).map { slot in
      let magnitude = Float(code >> (2 * slot) & 3)
      return code >> (8 + slot) & 1 == 0 ? magnitude : -magnitude
    }
  }

  @Test func squaredReLUOfMinusZeroAndBelowIsPlusZero() throws {
    let values = try view(1, 5, [-0.0, 0, -1, -.leastNonzeroMagnitude, 2] as [Float])
    try backend.run(SquaredReLU.Forward(values: values.view))
    let result: [Float] = try backend.read(values.view)
    #expect(result.map(\.bitPattern) == ([0, 0, 0, 0, 4] as [Float]).map(\.bitPattern))
  }

  @Test func transposedVenomOnRandomAndTiedValues() throws {
    for seed in 1...20 {
      var random = TestRandom(UInt64(seed))
      let (tokens, hidden) = (5 + random.below(40), 4 + random.below(30))
      let m = 4 + random.below(9)
      let (keep, block) = (1 + random.below(4), 1 + random.below(12))
      let values = (0..<tokens * hidden).map { _ in
        seed % 2 == 0 ? abs(random.real()) : Float(random.below(3))
      }
      var order = Array(0..<tokens)
      for index in order.indices { order.swapAt(index, random.below(tokens)) }
      let activation = try view(tokens, hidden, values)
      let companion = try view(tokens, hidden, values.map { $0 + 1 })
      let positions = try view(1, tokens, order.map(Int32.init), .int32)
      try backend.run(
        TransposedVenomMask(
          activation: activation.view, companion: companion.view, order: positions.view,
          blockNeurons: block, keep: keep, groupTokens: m))
      let all = Matrix(tokens, hidden, floats: values)
      let mask = ReferencePatterns.transposedVenom(
        all, order: order, blockNeurons: block, n: keep, m: m)
      let activationLeft: [Float] = try backend.read(activation.view)
      let companionLeft: [Float] = try backend.read(companion.view)
      #expect(all.combined(mask, *).error(of: activationLeft) == 0)
      #expect(all.combined(mask) { ($0 + 1) * $1 }.error(of: companionLeft) == 0)
    }
  }
}
