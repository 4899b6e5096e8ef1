import Compute

/// The layers of a sparse phase that compute densely, because their sparse products would be slower.
final class DenseLayers {
  private let method: DenseFeedForward
  /// Layer of the model → layer of the dense method.
  private let places: [Int: Int]

  /// Memory for these layers; nil when there are none.
  init?(
    _ layers: [Int], shape: FeedForwardShape, on backend: any Backend
  ) throws(ComputeError) {
    guard !layers.isEmpty else { return nil }
    places = Dictionary(uniqueKeysWithValues: zip(layers, layers.indices))
    method = try DenseFeedForward(shape: DenseLayers.part(shape, layers.count), on: backend)
  }

  /// All that an instance allocates.
  static func bytes(_ layers: [Int], shape: FeedForwardShape) -> Int {
    layers.isEmpty ? 0 : DenseFeedForward.bytes(part(shape, layers.count))
  }

  private static func part(_ shape: FeedForwardShape, _ layers: Int) -> FeedForwardShape {
    var shape = shape
    shape.heldLayers = shape.heldLayers == shape.layers ? layers : 1
    shape.layers = layers
    return shape
  }

  /// Whether a layer of the model is one of these.
  func holds(_ layer: Int) -> Bool { places[layer] != nil }

  /// See `FeedForwardMethod`; what was measured, when `measures` is set.
  func forward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, residual: TensorView,
    output: TensorView, measures: Bool
  ) throws(ComputeError) -> LayerSparsity? {
    let place = place(of: layer)
    method.statistics = measures ? SparsityStatistics(layers: places.count) : nil
    try method.forward(
      layer: place, weights: weights, input: input, hasCopy: false, residual: residual,
      output: output)
    defer { method.statistics = nil }
    return method.statistics?.layers[place]
  }

  /// See `FeedForwardMethod`.
  func recompute(
    layer: Int, weights: FeedForwardWeights, input: TensorView
  ) throws(ComputeError) {
    try method.recompute(
      layer: place(of: layer), weights: weights, input: input, hasCopy: false)
  }

  /// See `FeedForwardMethod`.
  func backward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, outputGradient: TensorView,
    inputGradient: TensorView
  ) throws(ComputeError) {
    try method.backward(
      layer: place(of: layer), weights: weights, input: input, outputGradient: outputGradient,
      hasCopy: false, inputGradient: inputGradient)
  }

  private func place(of layer: Int) -> Int {
    guard let place = places[layer] else { preconditionFailure("layer \(layer) is sparse") }
    return place
  }
}
