import Compute
import ComputeCPU
import FeedForward
import Testing
import Training
import Transformer

@Suite struct OptimizerTests {
  private func model() throws -> TransformerModel {
    let model = try TransformerModel(
      try TinyRun().configuration.model, on: try TinyRun.backend())
    try model.initialize(seed: 5)
    return model
  }

  private func gradients(_ model: TransformerModel, step: Int) -> [Float] {
    var random = SystemIndependentRandom(seed: UInt64(step))
    return (0..<model.table.elementCount).map { _ in Float(random.next(2001) - 1000) / 1000 }
  }

  /// Three updates against the formulas of the paper in double precision; clipped, with decay.
  @Test func updatesEqualAReferenceInDoublePrecision() throws {
    let model = try model()
    var settings = Optimizer.Settings()
    settings.gradientClip = 2
    let optimizer = try Optimizer(model, settings: settings)
    let arena = try ParameterArena(model.table, on: model.backend, purpose: "gradients")
    let (b1, b2) = (Double(settings.beta1), Double(settings.beta2))
    let (epsilon, decay) = (Double(settings.epsilon), Double(settings.weightDecay))
    var weights: [Double] = try model.backend.read(model.parameters.all).map { Double($0 as Float) }
    var m = [Double](repeating: 0, count: weights.count)
    var v = m
    for step in 1...3 {
      let rate = 0.01 * Double(step)
      let g = gradients(model, step: step)
      try model.backend.write(g, to: arena.all)
      let norm = try optimizer.gradientNorm(arena)
      let exact = g.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(norm - exact) < 1e-6 * exact)
      try optimizer.apply(arena, norm: norm, learningRate: rate)
      let scale = settings.gradientClip == 0 ? 1 : min(1, 2 / exact)
      for entry in model.table.entries {
        for index in entry.offset..<entry.offset + entry.count {
          let gradient = Double(g[index]) * scale
          m[index] = b1 * m[index] + (1 - b1) * gradient
          v[index] = b2 * v[index] + (1 - b2) * gradient * gradient
          let mean = m[index] / (1 - power(b1, step))
          let root = (v[index] / (1 - power(b2, step))).squareRoot()
          if entry.decays { weights[index] -= rate * decay * weights[index] }
          weights[index] -= rate * mean / (root + epsilon)
        }
      }
    }
    let values: [Float] = try model.backend.read(model.parameters.all)
    var worst = 0.0
    for entry in model.table.entries {
      for index in entry.offset..<entry.offset + entry.count {
        worst = max(worst, abs(Double(values[index]) - weights[index]))
      }
    }
    #expect(worst < 1e-6)
    #expect(optimizer.updates == 3)
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }

  @Test func decayIsForMatricesOnly() throws {
    let model = try model()
    for entry in model.table.entries {
      #expect(entry.decays == (entry.rows > 1))
      #expect((entry.offset < model.table.decayingCount) == entry.decays)
    }
    // Without a gradient only decay moves weights.
    let optimizer = try Optimizer(model, settings: Optimizer.Settings())
    let arena = try ParameterArena(model.table, on: model.backend, purpose: "gradients")
    let before: [Float] = try model.backend.read(model.parameters.all)
    try optimizer.apply(arena, norm: 0, learningRate: 0.5)
    let after: [Float] = try model.backend.read(model.parameters.all)
    for entry in model.table.entries {
      for index in entry.offset..<entry.offset + entry.count {
        #expect(after[index] == (entry.decays ? before[index] * 0.95 : before[index]))
        if after[index] != (entry.decays ? before[index] * 0.95 : before[index]) { return }
      }
    }
  }

  @Test(arguments: [(Float(0), Float(1)), (2, 1), (0.5, 0.25)])
  func clippingScalesTheGlobalNorm(clip: Float, share: Float) throws {
    let model = try model()
    var settings = Optimizer.Settings()
    settings.gradientClip = clip
    let optimizer = try Optimizer(model, settings: settings)
    let arena = try ParameterArena(model.table, on: model.backend, purpose: "gradients")
    // Four entries of 1: the norm is 2.
    try model.backend.write([Float](repeating: 1, count: 4), to: arena.all.columns(8..<12))
    let norm = try optimizer.gradientNorm(arena)
    #expect(norm == 2)
    try optimizer.apply(arena, norm: norm, learningRate: 1e-3)
    let moment: [Float] = try model.backend.read(optimizer.firstMoment.all.columns(7..<13))
    let expected = (1 - settings.beta1) * share
    #expect(
      zip(moment, [0, expected, expected, expected, expected, 0]).allSatisfy {
        abs($0 - $1) < 1e-7
      })
  }

  /// One micro-batch of four sequences, two of two, four of one.
  @Test func accumulationEqualsOneLargeMicroBatch() throws {
    let configuration = try TinyRun().configuration
    let length = configuration.data.sequence
    var random = SystemIndependentRandom(seed: 9)
    let tokens = (0..<4 * length).map { _ in Int32(random.next(257)) }
    let targets = (0..<4 * length).map { _ in Int32(random.next(257)) }
    func gradients(_ size: Int) throws -> (StepEngine.Gradients, [Float]) {
      let model = try TransformerModel(configuration.model, on: try TinyRun.backend())
      try model.initialize(seed: 5)
      let engine = try StepEngine(
        model, feedForward: configuration.feedForward, optimizer: Optimizer.Settings(),
        sequences: size, sequenceLength: length)
      try engine.switchMode(to: .dense)
      let batches = stride(from: 0, to: 4 * length, by: size * length).map { start in
        StepEngine.MicroBatch(
          tokens: Array(tokens[start..<start + size * length]),
          targets: Array(targets[start..<start + size * length]))
      }
      return (try engine.gradients(of: batches), try model.backend.read(engine.pass.gradients.all))
    }
    let (whole, reference) = try gradients(4)
    let scale = Double(reference.map(abs).max() ?? 0)
    #expect(scale > 0)
    for size in [2, 1] {
      let (parts, values) = try gradients(size)
      #expect(abs(parts.loss - whole.loss) < 1e-6)
      #expect(abs(parts.norm - whole.norm) < 1e-5 * whole.norm)
      let worst = zip(values, reference).map { Double(abs($0 - $1)) }.max() ?? 0
      #expect(worst < 1e-6 * max(1, scale))
    }
  }
}
