import Compute
import FeedForward
import Transformer

/// Made-up weights and tokens of one feed-forward network, drawn in one of two ways.
final class FeedForwardInputs {
  /// What is drawn.
  enum Draw {
    /// Like training: every token is one of so many topics plus `spread` times as much noise; a
    /// twelfth of the neurons leans towards each topic, by four deviations of what other neurons
    /// answer to it. Routed neighbours then want mostly the same neurons.
    case topics(Int, spread: Double)
    /// Normal neurons, tokens of 64 directions plus as much noise: lists change from block to block
    /// nearly as random ones would.
    case random

    /// For a headline.
    var description: String {
      switch self {
      case .topics(let count, let spread):
        "\(count) topics, spread \(fixed(spread, 2)), a twelfth of the neurons for each"
      case .random: "random neurons"
      }
    }
  }

  /// Weights in the backend's storage type, gradients in float32.
  let weights: FeedForwardWeights
  /// The float32 parameters that `weights` are stored from; the same memory where storage is
  /// float32.
  private let masters: FeedForwardWeights
  private let hidden: TensorView
  private let gain: TensorView
  private let inverseRMS: TensorView
  private let input: TensorView
  private let output: TensorView
  private let outputGradient: TensorView
  private let inputGradient: TensorView
  private let arena: Arena
  private let backend: any Backend
  /// Clusters by the configuration they were made for: k-means takes its time.
  private var clusters: [(configuration: FeedForwardConfiguration, state: ClusterState)] = []

  /// Allocates and draws.
  init(_ draw: Draw, _ shape: FeedForwardShape, on backend: any Backend) throws {
    self.backend = backend
    let isWide = shape.storage == .float32
    let matrix = Arena.bytes(rows: shape.hiddenWidth, columns: shape.width)
    let stored = Arena.bytes(rows: shape.hiddenWidth, columns: shape.width, shape.storage)
    let stream = Arena.bytes(rows: shape.tokens, columns: shape.width, shape.storage)
    let arena = try Arena(
      byteCount: (isWide ? 2 : 4) * matrix + 2 * stored + 5 * stream
        + Arena.bytes(rows: 1, columns: shape.width)
        + Arena.bytes(rows: 1, columns: shape.tokens), on: backend,
      purpose: "benchmark inputs")
    func weight(_ type: ElementType) -> TensorView {
      arena.take(rows: shape.hiddenWidth, columns: shape.width, type)
    }
    func tokens() -> TensorView {
      arena.take(rows: shape.tokens, columns: shape.width, shape.storage)
    }
    let weights = FeedForwardWeights(
      up: weight(shape.storage), down: weight(shape.storage), upGradient: weight(.float32),
      downGradient: weight(.float32))
    self.weights = weights
    var masters = weights
    if !isWide { (masters.up, masters.down) = (weight(.float32), weight(.float32)) }
    self.masters = masters
    hidden = tokens()
    gain = arena.take(rows: 1, columns: shape.width)
    inverseRMS = arena.take(rows: 1, columns: shape.tokens)
    input = tokens()
    output = tokens()
    outputGradient = tokens()
    inputGradient = tokens()
    self.arena = arena

    let pool = FeedForwardInputs.normalPool()
    /// Rows of the pool from places that differ from row to row and from matrix to matrix.
    func normal(_ rows: Int, _ deviation: Float, _ salt: Int) -> [Float] {
      var values: [Float] = []
      values.reserveCapacity(rows * shape.width)
      for row in 0..<rows {
        let start = (row &* 0x9E3779 &+ salt &* 0x85EBCB) & (pool.count - 1)
        for column in 0..<shape.width {
          values.append(pool[(start + column) & (pool.count - 1)] * deviation)
        }
      }
      return values
    }
    var count = 64
    var spread: Float = 1
    if case .topics(let topics, let noise) = draw { (count, spread) = (topics, Float(noise)) }
    let directions = normal(count, 1, 1)
    var values = normal(shape.tokens, spread, 2)
    let random = CounterRandom(seed: 1, stream: 3)
    for token in 0..<shape.tokens {
      let from = Int(random.bits(UInt64(token)) % UInt64(count)) * shape.width
      for column in 0..<shape.width {
        values[token * shape.width + column] += directions[from + column]
      }
    }
    try backend.write(floats: values, to: hidden)
    try backend.write(floats: normal(1, 0.1, 7).map { 1 + $0 }, to: gain)
    var up = normal(shape.hiddenWidth, 0.02, 4)
    if case .topics = draw {
      FeedForwardInputs.lean(&up, towards: directions, width: shape.width, strength: 0.08)
    }
    try backend.write(floats: up, to: masters.up)
    try backend.write(floats: normal(shape.hiddenWidth, 0.02, 5), to: masters.down)
    try backend.write(floats: normal(shape.tokens, 0.1, 6), to: outputGradient)
    try backend.zero(output)
    try backend.zero(weights.upGradient)
    try backend.zero(weights.downGradient)
    try store()
  }

  /// Adds topics, [topics, d], to a twelfth of the neurons each, [f, d]: a neuron answers to its own
  /// topic by `strength` · √d more.
  private static func lean(
    _ neurons: inout [Float], towards topics: [Float], width: Int, strength: Float
  ) {
    let random = CounterRandom(seed: 1, stream: 7)
    let scale = strength / Float(width).squareRoot()
    let count = topics.count / width
    for neuron in 0..<neurons.count / width {
      for topic in 0..<count
      where random.bits(UInt64(neuron * count + topic)) % 12 == 0 {
        for column in 0..<width {
          neurons[neuron * width + column] += scale * topics[topic * width + column]
        }
      }
    }
  }

  /// A network over these inputs in a mode; neurons are clustered once per sort of weights.
  func stack(
    _ mode: FeedForwardMode, _ configuration: FeedForwardConfiguration, _ shape: FeedForwardShape,
    on machine: any Backend
  ) throws -> FeedForwardStack {
    let stack = FeedForwardStack(configuration: configuration, shape: shape, on: machine)
    if mode != .dense {
      let known = clusters.first {
        $0.configuration.effectiveSparseWeights == configuration.effectiveSparseWeights
          && $0.configuration.mode == configuration.mode
          && $0.configuration.clusters == configuration.clusters
      }
      if let known {
        try stack.restore(known.state)
      } else {
        try stack.recluster([masters], companions: [[]])
        clusters.append((configuration, stack.clusterState))
        try store()
      }
    }
    try stack.switchMode(to: mode)
    return stack
  }

  /// The forward pass of layer 0, from the norm on, which puts rows in the order of the network.
  func forward(_ stack: FeedForwardStack) throws {
    let order = try stack.route(layer: 0, hidden: hidden, gain: gain)
    let copy = stack.eightBitCopy(layer: 0)
    try backend.run(
      RMSNorm.Forward(
        input: hidden, weight: gain, output: input, inverseRMS: inverseRMS, epsilon: 1e-5,
        order: order, eightBitCopy: copy))
    try stack.forward(
      layer: 0, weights: weights, input: input, hasCopy: copy != nil, residual: output,
      output: output)
  }

  /// The backward pass of layer 0.
  func backward(_ stack: FeedForwardStack) throws {
    try stack.backward(
      layer: 0, weights: weights, input: input, outputGradient: outputGradient,
      inputGradient: inputGradient)
  }

  private func store() throws {
    guard weights.up != masters.up else { return }
    try backend.run(ConvertElements(source: masters.up, output: weights.up))
    try backend.run(ConvertElements(source: masters.down, output: weights.down))
  }

  /// A million normal numbers: enough to look random, few enough to draw in a blink.
  private static func normalPool() -> [Float] {
    let random = CounterRandom(seed: 1, stream: 1)
    return (0..<1 << 20).map { Float(random.normal(UInt64($0))) }
  }
}
