import Compute
import FeedForward

/// Views of one layer's parameters and gradients.
struct LayerWeights {
  let attentionNorm: TensorView
  let attentionNormGradient: TensorView
  let queryKeyValue: TensorView
  let queryKeyValueGradient: TensorView
  let attentionOutput: TensorView
  let attentionOutputGradient: TensorView
  let feedForwardNorm: TensorView
  let feedForwardNormGradient: TensorView
  let feedForward: FeedForwardWeights

  /// The views of every layer, looked up once.
  static func all(
    _ model: TransformerModel, gradient: (ParameterRole) -> TensorView
  ) -> [LayerWeights] {
    (0..<model.configuration.layers).map { layer in
      func both(_ role: ParameterRole) -> (TensorView, TensorView) {
        (model.weight(role), gradient(role))
      }
      let attentionNorm = both(.attentionNorm(layer: layer))
      let queryKeyValue = both(.queryKeyValue(layer: layer))
      let attentionOutput = both(.attentionOutput(layer: layer))
      let feedForwardNorm = both(.feedForwardNorm(layer: layer))
      return LayerWeights(
        attentionNorm: attentionNorm.0, attentionNormGradient: attentionNorm.1,
        queryKeyValue: queryKeyValue.0, queryKeyValueGradient: queryKeyValue.1,
        attentionOutput: attentionOutput.0, attentionOutputGradient: attentionOutput.1,
        feedForwardNorm: feedForwardNorm.0, feedForwardNormGradient: feedForwardNorm.1,
        feedForward: FeedForwardWeights(
          up: model.weight(.up(layer: layer)), down: model.weight(.down(layer: layer)),
          upGradient: gradient(.up(layer: layer)), downGradient: gradient(.down(layer: layer))))
    }
  }
}
