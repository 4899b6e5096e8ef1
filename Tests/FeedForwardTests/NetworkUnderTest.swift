import Compute
import ComputeCPU
import FeedForward
import Testing

/// Random numbers for tests: a linear congruential generator, its high bits.
struct TestRandom {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func below(_ count: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(count))
  }

  /// Uniform in ±1.
  mutating func real() -> Float { Float(below(1 << 24)) / Float(1 << 23) - 1 }

  /// Numbers in ±1, or small whole numbers: with those every sum of the network is exact in
  /// float32, whatever its order, and ties abound.
  mutating func values(_ count: Int, whole: Bool) -> [Float] {
    (0..<count).map { _ in whole ? Float(below(5) - 2) : real() }
  }
}

/// A feed-forward stack with weights, inputs and gradients on a CPU backend.
final class NetworkUnderTest {
  /// What a forward and a backward pass gave.
  struct Result: Equatable {
    var output, inputGradient, upGradient, downGradient: [Float]
  }

  let backend: CPUBackend
  let shape: FeedForwardShape
  let stack: FeedForwardStack
  let weights: [FeedForwardWeights]
  /// One more [f, d] matrix per layer that moves with the neurons, like a moment of AdamW.
  let companions: [TensorView]
  let input, residual, outputGradient: TensorView
  private let output, inputGradient: TensorView
  private let routed: TensorView
  private let arena: Arena

  init(
    tokens: Int, width: Int, hidden: Int, layers: Int = 1,
    _ configuration: FeedForwardConfiguration, seed: UInt64 = 1, whole: Bool = false,
    threads: Int = 2
  ) throws {
    backend = CPUBackend(threads: threads)
    shape = FeedForwardShape(tokens: tokens, width: width, hiddenWidth: hidden, layers: layers)
    let stream = Arena.bytes(rows: tokens, columns: width)
    let matrix = Arena.bytes(rows: hidden, columns: width)
    let arena = try Arena(
      byteCount: 6 * stream + 5 * layers * matrix, on: backend, purpose: "network under test")
    self.arena = arena
    func streamView() -> TensorView { arena.take(rows: tokens, columns: width) }
    func matrixView() -> TensorView { arena.take(rows: hidden, columns: width) }
    input = streamView()
    residual = streamView()
    outputGradient = streamView()
    output = streamView()
    inputGradient = streamView()
    routed = streamView()
    weights = (0..<layers).map { _ in
      FeedForwardWeights(
        up: matrixView(), down: matrixView(), upGradient: matrixView(),
        downGradient: matrixView())
    }
    companions = (0..<layers).map { _ in matrixView() }
    stack = FeedForwardStack(configuration: configuration, shape: shape, on: backend)
    var random = TestRandom(seed)
    let views =
      [input, residual, outputGradient] + weights.flatMap { [$0.up, $0.down] } + companions
    for view in views {
      try backend.write(random.values(view.count, whole: whole), to: view)
    }
  }

  /// Clusters, and switches to the configuration's mode.
  func startSparse() throws {
    try recluster()
    try stack.switchMode(to: stack.configuration.mode)
  }

  func recluster() throws {
    try stack.recluster(weights, companions: companions.map { [$0] })
  }

  /// Forward and backward of a layer; weight gradients start at zero.
  func run(layer: Int = 0) throws -> Result {
    let own = weights[layer]
    try backend.zero(own.upGradient)
    try backend.zero(own.downGradient)
    let rows = try input(of: stack, layer: layer)
    try stack.forward(
      layer: layer, weights: own, input: rows, residual: residual, output: output)
    try stack.backward(
      layer: layer, weights: own, input: rows, outputGradient: outputGradient,
      inputGradient: inputGradient)
    return Result(
      output: try backend.read(output), inputGradient: try backend.read(inputGradient),
      upGradient: try backend.read(own.upGradient),
      downGradient: try backend.read(own.downGradient))
  }

  /// The input in the order that a stack wants it.
  func input(of stack: FeedForwardStack, layer: Int = 0) throws -> TensorView {
    guard let order = try stack.route(layer: layer, hidden: input, gain: nil) else {
      return input
    }
    try backend.run(GatherRows(source: input, rows: order, output: routed))
    return routed
  }

  /// The same network densely, with nothing left over.
  func runDense(layer: Int = 0) throws -> Result {
    let before = stack.mode
    try stack.switchMode(to: .dense)
    let result = try run(layer: layer)
    try stack.switchMode(to: before)
    return result
  }

  // MARK: For the reference

  func matrix(_ view: TensorView) throws -> Matrix {
    Matrix(view.rows, view.columns, floats: try backend.read(view))
  }

  /// The reference network of a layer, its weights thresholded as the configuration says.
  func reference(layer: Int = 0) throws -> ReferenceFeedForward {
    var up = try matrix(weights[layer].up)
    var down = try matrix(weights[layer].down)
    let which = stack.mode == .dense ? .none : stack.configuration.effectiveSparseWeights
    if which != .none { up = effective(up, scale: stack.clusterState.upScales[layer]) }
    if which == .both { down = effective(down, scale: stack.clusterState.downScales[layer]) }
    return ReferenceFeedForward(input: try matrix(input), up: up, down: down)
  }

  private func effective(_ weights: Matrix, scale: Float) -> Matrix {
    ReferencePatterns.softThreshold(weights).map { Double(scale) * $0 }
  }

  /// The order in which the reference takes tokens: by the centroids of the first of the layers that share
  /// one.
  func referenceOrder(layer: Int = 0) throws -> [Int] {
    let centroids = stack.clusterState.centroids
    guard !centroids.isEmpty else { return Array(0..<shape.tokens) }
    let configuration = stack.configuration
    let sparse = (0..<shape.layers).filter { !configuration.isDense(layer: $0, of: shape.layers) }
    let place = try #require(sparse.firstIndex(of: layer))
    let own = centroids[sparse[place - place % configuration.layersPerOrder]]
    return ReferencePatterns.route(
      try matrix(input),
      centroids: Matrix(own.count / shape.width, shape.width, floats: own))
  }

  /// What the stack itself kept in its last pass: neurons of each block.
  func keptColumns(layer: Int = 0) throws -> [[Int]] {
    guard let view = stack.sparseMethod?.columns(layer: layer) else { return [] }
    let flat = try backend.read(view, as: UInt16.self).map(Int.init)
    return (0..<view.rows).map { Array(flat[$0 * view.columns..<($0 + 1) * view.columns]) }
  }

  /// The order of tokens in the stack's last pass.
  func keptOrder(layer: Int = 0) throws -> [Int] {
    guard let view = stack.sparseMethod?.order(layer: layer) else {
      return Array(0..<shape.tokens)
    }
    return try backend.read(view, as: Int32.self).map(Int.init)
  }
}
