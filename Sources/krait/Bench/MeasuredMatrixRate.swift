import Compute
import Transformer

/// What one big product reaches on this machine, on random numbers: zeros would cost less power
/// and look faster.
struct MeasuredMatrixRate {
  /// Floating-point operations per second: the median of some products.
  let flops: Double
  /// For people.
  let detail: String
  /// Whether a GPU multiplied: then numbers are told in tera, else in giga.
  let isOnGPU: Bool

  /// Multiplies square matrices in the backend's storage type.
  init(on backend: any Backend) throws {
    let size = backend.runsImmediately ? 1024 : 8192
    let type = backend.storage
    let arena = try Arena(
      byteCount: 3 * Arena.bytes(rows: size, columns: size, type), on: backend,
      purpose: "a product that measures the machine")
    let views = (0..<3).map { _ in arena.take(rows: size, columns: size, type) }
    let random = CounterRandom(seed: 7, stream: 7)
    let rows = min(size, 64)
    for (index, view) in views.prefix(2).enumerated() {
      let numbers = (0..<rows * size).map {
        Float(random.uniform(UInt64($0 + index * rows * size)) - 0.5)
      }
      for start in stride(from: 0, to: size, by: rows) {
        try backend.write(floats: numbers, to: view.rows(start..<start + rows))
      }
    }
    let product = MatrixMultiply(views[0], views[1], transposeRight: true, into: views[2])
    let clock = QueueClock(backend)
    for _ in 0..<2 { try backend.run(product) }
    try backend.synchronize()
    for _ in 0..<10 {
      try clock.mark()
      try backend.run(product)
    }
    try clock.mark()
    let seconds = try clock.intervals()
    flops = product.flops / seconds.median
    isOnGPU = !backend.runsImmediately
    detail = "\(size) x \(size) x \(size), \(type.rawValue)"
  }
}

/// Floating-point operations that the mathematics of a dense training step needs: three times the
/// forward pass, of attention only the causal half, and nothing that is computed twice.
struct StepWork {
  /// Of one optimizer step.
  let flops: Double

  init(_ model: ModelConfiguration, sequences: Int, sequenceLength: Int) {
    let tokens = Double(sequences * sequenceLength)
    let table = ParameterTable(model)
    // The embedding is looked up, not multiplied; tied, it is the output projection too.
    let weights = table.entries.reduce(0.0) { sum, entry in
      guard entry.decays else { return sum }
      if case .embedding = entry.role, !model.tiedEmbeddings { return sum }
      return sum + Double(entry.count)
    }
    let scores =
      Double(model.layers) * 2 * Double(sequenceLength) * Double(model.heads * model.headWidth)
    flops = 3 * tokens * (2 * weights + scores)
  }
}
