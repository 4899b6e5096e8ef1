import Compute

extension ParityCase {
  /// The operations of sparse feed-forward networks: short last blocks, ties, tokens in place.
  static let sparse: [ParityCase] =
    choices + packed + [
      ParityCase("GatherRows", exact: true) { m in
        let out = try m.empty(40, 30, gap: 2)
        try m.backend.run(
          GatherRows(
            source: try m.values(25, 30, seed: 1, gap: 5),
            rows: try m.integers(tokens(40, below: 25)), output: out))
        return [out]
      },
      ParityCase("GatherRows in chunks", exact: true) { m in
        let out = try m.empty(70, 1224, gap: 8)
        try m.backend.run(
          GatherRows(
            source: try m.values(25, 1224, seed: 1, gap: 16),
            rows: try m.integers(tokens(70, below: 25)), output: out))
        return [out]
      },
      ParityCase("BlockSums, a gap") { m in
        let sums = try m.empty(3, 200, gap: 1, wide: true)
        try m.backend.run(
          BlockSums(
            values: try m.values(300, 200, seed: 1, gap: 3, positive: true), order: nil,
            blockRows: 128, sums: sums))
        return [sums]
      },
      ParityCase("BlockSums") { m in
        let sums = try m.empty(3, 200, wide: true)
        try m.backend.run(
          BlockSums(
            values: try m.values(300, 200, seed: 1, positive: true),
            order: try PatternSizes().order(m), blockRows: 128, sums: sums))
        return [sums]
      },
      ParityCase("SoftThreshold") { m in
        let w = try m.values(33, 48, seed: 1)
        let out = try m.empty(33, 48, gap: 4)
        let moments = try m.empty(1, 2, wide: true)
        try m.backend.run(SoftThreshold(weights: w, output: out, scale: 1.25))
        try m.backend.run(SoftThresholdMoments(weights: w, result: moments))
        return [out, moments]
      },
      ParityCase("ActivationStatistics") { m in
        let out = try m.empty(1, 3, wide: true)
        try m.backend.run(
          ActivationStatistics(values: try m.values(90, 71, seed: 1, gap: 3), result: out))
        return [out]
      },
    ]

  private static let choices: [ParityCase] = [
    routing(tokens: 3000, clusters: 48), routing(tokens: 70, clusters: 1),
    routing(tokens: 1025, clusters: 300), routing(tokens: 16384, clusters: 64),
    routing(tokens: 70000, clusters: 16),
    sampling(tokens: 300, block: 128, samples: 8, routed: true),
    sampling(tokens: 257, block: 64, samples: 3, routed: false),
    sampling(tokens: 130, block: 64, samples: 8, routed: false),
    selection(neurons: 1024, group: 1024, keep: 130, ties: false),
    selection(neurons: 3000, group: 3000, keep: 375, ties: true),
    selection(neurons: 1024, group: 16, keep: 4, ties: true),
    selection(neurons: 640, group: 64, keep: 64, ties: false),
    selection(neurons: 500, group: 500, keep: 500, ties: true),
    selection(neurons: 16384, group: 16384, keep: 2048, ties: false),
    selection(neurons: 9001, group: 9001, keep: 4000, ties: true),
    selection(neurons: 20000, group: 20000, keep: 2560, ties: false),
    ParityCase("MaskFours", exact: true) { m in
      let v = try m.tensor(coarse(60 * 40, seed: 3), 60, 40, gap: 4)
      let odd = try m.tensor(coarse(60 * 40, seed: 3), 60, 40, gap: 3)
      try m.backend.run(MaskFours(values: v, keep: 2))
      try m.backend.run(MaskFours(values: odd, keep: 2))
      return [v, odd]
    },
    ParityCase("TransposedVenomMask", exact: true) { m in
      let a = try m.tensor(coarse(150 * 70, seed: 4), 150, 70)
      let c = try m.values(150, 70, seed: 5)
      let sizes = PatternSizes(tokens: 150)
      try m.backend.run(
        TransposedVenomMask(
          activation: a, companion: c, order: try sizes.order(m), blockNeurons: 32, keep: 2,
          groupTokens: 16))
      return [a, c]
    },
  ]

  private static let packed: [ParityCase] = [
    PatternSizes(), PatternSizes(isRouted: false), PatternSizes(tokens: 64, kept: 200, block: 50),
    PatternSizes(tokens: 260, width: 130, neurons: 1024, kept: 128, block: 256),
    // In bfloat16 on a Hopper GPU these take the kernels of the hopper folder: one tile of columns,
    // pairs that share tokens, an odd number of tiles, token blocks of two and three tiles.
    PatternSizes(width: 64, neurons: 192, kept: 64, gap: 8),
    PatternSizes(tokens: 700, width: 512, neurons: 1000, kept: 512, isRouted: false, gap: 8),
    PatternSizes(tokens: 1000, width: 768, neurons: 1024, kept: 192, block: 256, gap: 16),
    PatternSizes(tokens: 900, width: 320, neurons: 2048, kept: 576, block: 384, gap: 8),
  ].flatMap { sizes in
    [
      ParityCase("PackColumns, UnpackColumns \(sizes)", exact: true) { m in
        let pattern = try sizes.pattern(m)
        let packed = try m.empty(sizes.tokens, sizes.kept)
        try m.backend.run(
          PackColumns(
            values: try m.values(sizes.tokens, sizes.neurons, seed: 1), pattern: pattern,
            packed: packed))
        let values = try m.empty(sizes.tokens, sizes.neurons)
        try m.backend.run(UnpackColumns(packed: packed, pattern: pattern, values: values))
        return [packed, values]
      },
      ParityCase("KeptProduct \(sizes)") { m in
        let pattern = try sizes.pattern(m)
        let x = try m.values(sizes.tokens, sizes.width, seed: 1)
        let w = try m.values(sizes.neurons, sizes.width, seed: 2)
        let a = try m.empty(sizes.tokens, sizes.kept)
        try m.backend.run(
          KeptProduct(input: x, weights: w, pattern: pattern, output: a, epilogue: .squaredReLU))
        let g = try m.empty(sizes.tokens, sizes.kept)
        let given = try m.values(sizes.tokens, sizes.kept, seed: 3, positive: true)
        try m.backend.run(
          KeptProduct(
            input: x, weights: w, pattern: pattern, output: g, epilogue: .timesTwoSqrt(given)))
        return [a, g]
      },
      ParityCase("PackedProduct \(sizes)") { m in
        let pattern = try sizes.pattern(m)
        let packed = try m.values(sizes.tokens, sizes.kept, seed: 1)
        let w = try m.values(sizes.neurons, sizes.width, seed: 2)
        let out = try m.empty(sizes.tokens, sizes.width, gap: sizes.gap)
        let sum = try m.values(sizes.tokens, sizes.width, seed: 3)
        let other = try m.empty(sizes.tokens, sizes.width)
        for (target, addend) in [(out, nil), (other, sum), (sum, sum)] {
          try m.backend.run(
            PackedProduct(
              packed: packed, weights: w, pattern: pattern, output: target,
              adding: addend))
        }
        return [out, other, sum]
      },
      ParityCase("PackedWeightGradient \(sizes)") { m in
        let gradient = try m.values(sizes.neurons, sizes.width, seed: 3, wide: true)
        try m.backend.run(
          PackedWeightGradient(
            packed: try m.values(sizes.tokens, sizes.kept, seed: 1),
            rows: try m.values(sizes.tokens, sizes.width, seed: 2), pattern: try sizes.pattern(m),
            weightGradient: gradient))
        return [gradient]
      },
    ]
  }

  /// Few distinct numbers, exact in bfloat16, so that ties are common and sums exact.
  private static func coarse(_ count: Int, seed: UInt64) -> [Float] {
    var random = SplitMix(seed)
    return (0..<count).map { _ in Float(random.below(8)) / 4 }
  }

  private static func routing(tokens: Int, clusters: Int) -> ParityCase {
    ParityCase("RouteTokens, \(tokens) tokens, \(clusters) clusters", exact: true) { m in
      let order = try m.emptyIntegers(tokens)
      try m.backend.run(
        RouteTokens(
          scores: try m.tensor(
            coarse(tokens * clusters, seed: 1), tokens, clusters, gap: 1, wide: true),
          order: order))
      return [order]
    }
  }

  private static func sampling(tokens: Int, block: Int, samples: Int, routed: Bool) -> ParityCase {
    ParityCase("SampleTokens, \(tokens) in blocks of \(block), \(samples)", exact: true) { m in
      let out = try m.emptyIntegers(
        SampleTokens.count(tokens: tokens, blockTokens: block, samples: samples))
      try m.backend.run(
        SampleTokens(
          order: routed ? try PatternSizes(tokens: tokens).order(m) : nil, tokens: tokens,
          blockTokens: block, samples: samples, output: out))
      return [out]
    }
  }

  private static func selection(neurons: Int, group: Int, keep: Int, ties: Bool) -> ParityCase {
    ParityCase("SelectColumns, \(keep) of \(group), \(ties ? "ties" : "distinct")", exact: true) {
      m in
      let sums =
        ties
        ? try m.tensor(coarse(5 * neurons, seed: 2), 5, neurons, gap: 3, wide: true)
        : try m.values(5, neurons, seed: 2, gap: 3, wide: true)
      let columns = try m.emptyColumns(5, neurons / group * keep)
      try m.backend.run(
        SelectColumns(sums: sums, groupWidth: group, keepPerGroup: keep, columns: columns))
      return [columns]
    }
  }
}
