import Compute
import FeedForward

/// One layer, forwards and backwards.
extension TrainingPass {
  func attentionForward(_ layer: Int) throws(ComputeError) {
    let saved = activations.layers[layer]
    let own = weights[layer]
    try backend.run(
      RMSNorm.Forward(
        input: saved.attentionInput, weight: own.attentionNorm,
        output: saved.attentionNormalized, inverseRMS: saved.attentionInverseRMS,
        epsilon: epsilon))
    try clock.lap(\.other)
    try backend.run(
      RotaryProduct(
        MatrixMultiply(
          saved.attentionNormalized, own.queryKeyValue, transposeRight: true,
          into: saved.queryKeyValue),
        turn: turn(layout.queryAndKey(saved.queryKeyValue), inverse: false)))
    try clock.lap(\.projections)
    try backend.run(attention(saved))
    try clock.lap(\.attention)
    try backend.run(
      MatrixMultiply(
        saved.attention, own.attentionOutput, transposeRight: true,
        into: saved.feedForwardInput, adding: saved.attentionInput))
    try clock.lap(\.projections)
  }

  func feedForwardForward(_ layer: Int) throws(ComputeError) {
    let saved = activations.layers[layer]
    let hasCopy = try normalizeFeedForwardInput(layer)
    try feedForward.forward(
      layer: layer, weights: weights[layer].feedForward, input: saved.feedForwardNormalized,
      hasCopy: hasCopy, residual: saved.feedForwardInput, output: streamAfter(layer))
    try clock.lap(\.feedForward)
  }

  /// The network's input, its rows in the order that the network wants; says whether some are there in
  /// 8 bits as well.
  private func normalizeFeedForwardInput(_ layer: Int) throws(ComputeError) -> Bool {
    let saved = activations.layers[layer]
    let gain = weights[layer].feedForwardNorm
    try clock.lap(\.other)
    let order = try feedForward.route(layer: layer, hidden: saved.feedForwardInput, gain: gain)
    try clock.lap(\.feedForward)
    let copy = feedForward.eightBitCopy(layer: layer)
    try backend.run(
      RMSNorm.Forward(
        input: saved.feedForwardInput, weight: gain, output: saved.feedForwardNormalized,
        inverseRMS: saved.feedForwardInverseRMS, epsilon: epsilon, order: order,
        eightBitCopy: copy))
    try clock.lap(\.other)
    return copy != nil
  }

  /// Everything that a layer's backward pass needs, from the layer's input.
  func recompute(_ layer: Int) throws(ComputeError) {
    try clock.lap(\.other)
    try attentionForward(layer)
    let hasCopy = try normalizeFeedForwardInput(layer)
    try feedForward.recompute(
      layer: layer, weights: weights[layer].feedForward,
      input: activations.layers[layer].feedForwardNormalized, hasCopy: hasCopy)
    try clock.lap(\.feedForward)
  }

  private func turn(_ values: TensorView, inverse: Bool) -> RotaryEmbedding {
    RotaryEmbedding(
      values: values, table: rotary.view, headWidth: model.configuration.headWidth,
      sequenceLength: sequenceLength, inverse: inverse)
  }

  private func attention(_ saved: LayerActivations) -> Attention.Forward {
    Attention.Forward(
      geometry: geometry, query: layout.query(saved.queryKeyValue),
      key: layout.key(saved.queryKeyValue), value: layout.value(saved.queryKeyValue),
      output: saved.attention,
      logSumExp: saved.logSumExp.reshaped(
        rows: sequences * geometry.heads, columns: sequenceLength))
  }

  func feedForwardBackward(_ layer: Int) throws(ComputeError) {
    let saved = activations.layers[layer]
    let own = weights[layer]
    try clock.lap(\.other)
    var feedForwardWeights = own.feedForward
    feedForwardWeights.replacesGradients = isReplacing && feedForward.mode == .dense
    try feedForward.backward(
      layer: layer, weights: feedForwardWeights, input: saved.feedForwardNormalized,
      outputGradient: activations.streamGradient, hasCopy: gradientCopy(layer: layer) != nil,
      inputGradient: activations.normalizedGradient)
    try clock.lap(\.feedForward)
    try backend.run(
      RMSNorm.Backward(
        outputGradient: activations.normalizedGradient, input: saved.feedForwardInput,
        weight: own.feedForwardNorm, inverseRMS: saved.feedForwardInverseRMS,
        inputGradient: activations.streamGradient,
        weightGradient: own.feedForwardNormGradient))
  }

  func attentionBackward(_ layer: Int) throws(ComputeError) {
    let saved = activations.layers[layer]
    let own = weights[layer]
    let stream = activations.streamGradient
    let packed = activations.queryKeyValueGradient
    try clock.lap(\.other)
    try backend.run(
      MatrixMultiply(stream, own.attentionOutput, into: activations.attentionGradient))
    try backend.run(
      MatrixMultiply(
        stream, transposeLeft: true, saved.attention, into: own.attentionOutputGradient,
        adding: sum(own.attentionOutputGradient)))
    try clock.lap(\.projections)
    try backend.run(
      Attention.Backward(
        of: attention(saved), outputGradient: activations.attentionGradient,
        queryGradient: layout.query(packed), keyGradient: layout.key(packed),
        valueGradient: layout.value(packed)))
    try clock.lap(\.attention)
    try backend.run(turn(layout.queryAndKey(packed), inverse: true))
    try clock.lap(\.other)
    try backend.run(
      MatrixMultiply(packed, own.queryKeyValue, into: activations.normalizedGradient))
    try backend.run(
      MatrixMultiply(
        packed, transposeLeft: true, saved.attentionNormalized,
        into: own.queryKeyValueGradient, adding: sum(own.queryKeyValueGradient)))
    try clock.lap(\.projections)
    try backend.run(
      RMSNorm.Backward(
        outputGradient: activations.normalizedGradient, input: saved.attentionInput,
        weight: own.attentionNorm, inverseRMS: saved.attentionInverseRMS,
        inputGradient: stream, weightGradient: own.attentionNormGradient,
        copy: gradientCopy(layer: layer - 1)))
  }

  /// What the norm before a layer's backward pass copies the stream's gradient to.
  func gradientCopy(layer: Int) -> RMSNorm.OrderedCopy? {
    layer < 0 ? nil : feedForward.outputGradientCopy(layer: layer)
  }

  /// Where the stream goes after a layer: the next layer's input, or the final norm's.
  private func streamAfter(_ layer: Int) -> TensorView {
    layer + 1 < weights.count
      ? activations.layers[layer + 1].attentionInput : activations.finalInput
  }
}
