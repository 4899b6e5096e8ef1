import Compute
import FeedForward
import Transformer

/// Inputs of one feed-forward network that look like training: tokens drawn around a few
/// directions, so that neighbours after routing share neurons.
final class FeedForwardInputs {
  let weights: FeedForwardWeights
  private let input: TensorView
  private let output: TensorView
  private let outputGradient: TensorView
  private let inputGradient: TensorView
  private let arena: Arena

  /// Tokens are one of 64 directions plus as much noise.
  init(_ shape: FeedForwardShape, on backend: any Backend) throws {
    let matrix = Arena.bytes(rows: shape.hiddenWidth, columns: shape.width)
    let stored = Arena.bytes(rows: shape.hiddenWidth, columns: shape.width, shape.storage)
    let stream = Arena.bytes(rows: shape.tokens, columns: shape.width, shape.storage)
    let arena = try Arena(
      byteCount: 2 * matrix + 2 * stored + 4 * stream, on: backend, purpose: "benchmark inputs")
    func weight(_ type: ElementType) -> TensorView {
      arena.take(rows: shape.hiddenWidth, columns: shape.width, type)
    }
    func tokens() -> TensorView {
      arena.take(rows: shape.tokens, columns: shape.width, shape.storage)
    }
    weights = FeedForwardWeights(
      up: weight(shape.storage), down: weight(shape.storage), upGradient: weight(.float32),
      downGradient: weight(.float32))
    input = tokens()
    output = tokens()
    outputGradient = tokens()
    inputGradient = tokens()
    self.arena = arena

    let d = shape.width
    func normal(_ count: Int, _ deviation: Double, _ stream: UInt64) -> [Float] {
      let random = CounterRandom(seed: 1, stream: stream)
      return (0..<count).map { Float(random.normal(UInt64($0)) * deviation) }
    }
    let directions = normal(64 * d, 1, 1)
    var values = normal(shape.tokens * d, 1, 2)
    let random = CounterRandom(seed: 1, stream: 3)
    for token in 0..<shape.tokens {
      let direction = Int(random.bits(UInt64(token)) % 64)
      for column in 0..<d {
        values[token * d + column] += directions[direction * d + column]
      }
    }
    try backend.write(floats: values, to: input)
    let up = normal(shape.hiddenWidth * d, 0.02, 4)
    try backend.write(floats: up, to: weights.up)
    try backend.write(floats: normal(shape.hiddenWidth * d, 0.02, 5), to: weights.down)
    try backend.write(floats: normal(shape.tokens * d, 0.1, 6), to: outputGradient)
    try backend.zero(output)
    try backend.zero(weights.upGradient)
    try backend.zero(weights.downGradient)
  }

  /// One forward and one backward pass of layer 0.
  func run(_ stack: FeedForwardStack) throws {
    try stack.forward(
      layer: 0, weights: weights, input: input, residual: output, output: output)
    try stack.backward(
      layer: 0, weights: weights, input: input, outputGradient: outputGradient,
      inputGradient: inputGradient)
  }
}
