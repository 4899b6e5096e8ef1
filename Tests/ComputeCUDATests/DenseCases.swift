import Compute

extension ParityCase {
  /// The operations of a dense model, at odd sizes and with gaps between rows.
  static let dense: [ParityCase] =
    products + attention + [
      ParityCase("Embedding.Forward", exact: true) { m in
        let out = try m.empty(70, 96, gap: 4)
        try m.backend.run(
          Embedding.Forward(
            tokens: try m.integers(tokens(70, below: 50)),
            table: try m.values(50, 96, seed: 1), output: out))
        return [out]
      },
      embeddingBackward(tokens: 1500, vocabulary: 11, width: 40),
      embeddingBackward(tokens: 3000, vocabulary: 70_000, width: 24),
      ParityCase("RMSNorm.Forward") { m in
        let out = try m.empty(37, 250, gap: 6)
        let inverse = try m.empty(1, 37, wide: true)
        try m.backend.run(
          RMSNorm.Forward(
            input: try m.values(37, 250, seed: 1, gap: 2),
            weight: try m.values(1, 250, seed: 2, wide: true), output: out, inverseRMS: inverse,
            epsilon: 1e-5))
        return [out, inverse]
      },
      ParityCase("RMSNorm.Backward") { m in
        let dx = try m.values(611, 250, seed: 5)
        let dw = try m.values(1, 250, seed: 6, wide: true)
        try m.backend.run(
          RMSNorm.Backward(
            outputGradient: try m.values(611, 250, seed: 1), input: try m.values(611, 250, seed: 2),
            weight: try m.values(1, 250, seed: 3, wide: true),
            inverseRMS: try m.values(1, 611, seed: 4, wide: true), inputGradient: dx,
            weightGradient: dw))
        return [dx, dw]
      },
      rotary(inverse: false), rotary(inverse: true),
      ParityCase("SquaredReLU") { m in
        let a = try m.values(33, 70, seed: 1, gap: 2)
        try m.backend.run(SquaredReLU.Forward(values: a))
        let g = try m.values(33, 70, seed: 2)
        try m.backend.run(SquaredReLU.Backward(activation: a, gradient: g))
        return [a, g]
      },
      crossEntropy(vocabulary: 257, gradient: true),
      crossEntropy(vocabulary: 16_385, gradient: true),
      crossEntropy(vocabulary: 1001, gradient: false),
      ParityCase("SumOfSquares") { m in
        let out = try m.empty(1, 1, wide: true)
        try m.backend.run(SumOfSquares(values: try m.values(1, 70_001, seed: 1), result: out))
        return [out]
      },
      ParityCase("AdamW") { m in
        func part(_ seed: UInt64, positive: Bool = false) throws -> TensorView {
          try m.values(1, 5001, seed: seed, wide: true, positive: positive)
        }
        let w = try m.empty(1, 5001)
        let (p, f, s) = (try part(1), try part(3), try part(4, positive: true))
        try m.backend.run(
          AdamW(
            parameters: p, gradients: try part(2), firstMoment: f, secondMoment: s, weights: w,
            learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1,
            gradientScale: 0.5, step: 3))
        return [p, f, s, w]
      },
      ParityCase("ConvertElements", exact: true) { m in
        let wide = try m.values(9, 50, seed: 1, gap: 2, wide: true)
        let out = try m.emptyBFloat16(9, 50, gap: 6)
        try m.backend.run(ConvertElements(source: wide, output: out))
        let back = try m.empty(9, 50, wide: true)
        try m.backend.run(ConvertElements(source: out, output: back))
        return [out, back]
      },
      ParityCase("copy and zero", exact: true) { m in
        let out = try m.empty(9, 20, gap: 12)
        try m.backend.copy(from: try m.values(9, 20, seed: 1, gap: 3), to: out)
        let cleared = try m.values(9, 20, seed: 2, gap: 8)
        try m.backend.zero(cleared)
        return [out, cleared]
      },
    ]

  static func tokens(_ count: Int, below limit: Int) -> [Int32] {
    var random = SplitMix(9)
    // Uneven: some ids come often, as in text.
    return (0..<count).map { _ in Int32(min(random.below(limit), random.below(limit))) }
  }

  private static func embeddingBackward(tokens count: Int, vocabulary: Int, width: Int)
    -> ParityCase
  {
    ParityCase("Embedding.Backward, \(count) tokens of \(vocabulary)") { m in
      let table = try m.values(vocabulary, width, seed: 3, wide: true)
      try m.backend.run(
        Embedding.Backward(
          tokens: try m.integers(tokens(count, below: vocabulary)),
          outputGradient: try m.values(count, width, seed: 2), tableGradient: table))
      return [table]
    }
  }

  private static func rotary(inverse: Bool) -> ParityCase {
    ParityCase("RotaryEmbedding\(inverse ? ", inverse" : "")") { m in
      let v = try m.values(34, 3 * 20, seed: 1, gap: 9)
      try m.backend.run(
        RotaryEmbedding(
          values: v, table: try m.values(40, 20, seed: 2, wide: true), headWidth: 20,
          sequenceLength: 17, firstPosition: 5, inverse: inverse))
      return [v]
    }
  }

  private static func crossEntropy(vocabulary: Int, gradient: Bool) -> ParityCase {
    ParityCase("CrossEntropy, \(vocabulary) ids\(gradient ? ", gradient" : "")") { m in
      let z = try m.values(19, vocabulary, seed: 1, scale: 4)
      let losses = try m.empty(1, 19, wide: true)
      var targets = tokens(19, below: vocabulary)
      targets[4] = -1
      try m.backend.run(
        CrossEntropy(
          logits: z, targets: try m.integers(targets), losses: losses,
          gradientScale: gradient ? 0.25 : nil))
      return [z, losses]
    }
  }

  private static let products: [ParityCase] = {
    var list: [ParityCase] = []
    for (m, n, k) in [(1, 1, 1), (70, 50, 33), (128, 192, 64), (257, 129, 300)] {
      for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
        list.append(
          ParityCase("MatrixMultiply \(m) x \(n) x \(k), \(left) \(right)") { machine in
            let out = try machine.empty(m, n, gap: 3)
            try machine.backend.run(
              MatrixMultiply(
                try machine.values(left ? k : m, left ? m : k, seed: 1), transposeLeft: left,
                try machine.values(right ? n : k, right ? k : n, seed: 2, gap: 8),
                transposeRight: right, into: out, alpha: 0.5))
            return [out]
          })
      }
    }
    for wide in [false, true] {
      list.append(
        ParityCase("MatrixMultiply, adding, \(wide ? "wide" : "same type")") { m in
          let out = try m.values(96, 64, seed: 3, wide: wide)
          let a = try m.values(200, 96, seed: 1)
          let b = try m.values(200, 64, seed: 2)
          try m.backend.run(MatrixMultiply(a, transposeLeft: true, b, into: out, adding: out))
          let other = try m.empty(96, 64, wide: wide)
          try m.backend.run(MatrixMultiply(a, transposeLeft: true, b, into: other, adding: out))
          return [out, other]
        })
    }
    list.append(
      ParityCase("MatrixMultiply, epilogues") { m in
        let x = try m.values(65, 48, seed: 1)
        let w = try m.values(72, 48, seed: 2)
        let a = try m.empty(65, 72)
        try m.backend.run(
          MatrixMultiply(x, w, transposeRight: true, into: a, epilogue: .squaredReLU))
        let given = try m.values(65, 72, seed: 5, positive: true)
        let g = try m.empty(65, 72)
        try m.backend.run(
          MatrixMultiply(
            x, w, transposeRight: true, into: g, adding: try m.values(65, 72, seed: 6),
            epilogue: .timesTwoSqrt(given)))
        return [a, g]
      })
    return list
  }()

  private static let attention: [ParityCase] = [
    (2, 70, 70, 4, 2, 16), (1, 1, 33, 2, 1, 24), (3, 128, 128, 3, 3, 64), (1, 5, 40, 4, 4, 128),
    (1, 96, 96, 2, 2, 256),
    (2, 128, 128, 4, 2, 64), (1, 256, 256, 3, 3, 128), (2, 384, 384, 6, 2, 64),
  ].map { (sequences: Int, q: Int, k: Int, heads: Int, keyHeads: Int, width: Int) in
    ParityCase("Attention \(sequences) x \(q), \(k) keys, \(heads)/\(keyHeads) heads of \(width)") {
      m in
      let rowWidth = (heads + 2 * keyHeads) * width
      let packed = try m.values(sequences * k, rowWidth, seed: 1)
      func columns(_ view: TensorView, _ first: Int, _ count: Int) -> TensorView {
        view.columns(first * width..<(first + count) * width)
      }
      let query =
        q == k ? columns(packed, 0, heads) : try m.values(sequences * q, heads * width, seed: 2)
      let out = try m.empty(sequences * q, heads * width)
      let lse = try m.empty(sequences * q, heads, wide: true)
      let forward = Attention.Forward(
        geometry: Attention.Geometry(
          sequences: sequences, queryLength: q, keyLength: k, heads: heads,
          keyValueHeads: keyHeads, headWidth: width),
        query: query, key: columns(packed, heads, keyHeads),
        value: columns(packed, heads + keyHeads, keyHeads), output: out, logSumExp: lse)
      try m.backend.run(forward)
      guard q == k else { return [out, lse] }
      let gradient = try m.empty(sequences * q, rowWidth)
      try m.backend.run(
        Attention.Backward(
          of: forward, outputGradient: try m.values(sequences * q, heads * width, seed: 4),
          queryGradient: columns(gradient, 0, heads),
          keyGradient: columns(gradient, heads, keyHeads),
          valueGradient: columns(gradient, heads + keyHeads, keyHeads)))
      return [out, lse, gradient]
    }
  }
}
