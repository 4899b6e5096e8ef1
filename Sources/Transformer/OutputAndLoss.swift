import Compute

/// The end of a forward pass and the beginning of the backward pass.
extension TrainingPass {
  /// The output projection and the loss in chunks of tokens, as many as `TrainingActivations` has
  /// room for; their gradient goes on at once.
  func lossAndGradient(_ gradientScale: Float) throws(ComputeError) {
    try backend.run(
      RMSNorm.Forward(
        input: activations.finalInput, weight: model.weight(.finalNorm),
        output: activations.finalNormalized, inverseRMS: activations.finalInverseRMS,
        epsilon: epsilon))
    try clock.lap(\.other)
    let outputRole = model.configuration.tiedEmbeddings ? ParameterRole.embedding : .output
    let outputGradient = gradient(outputRole)
    let step = activations.logits.rows
    var start = 0
    while start < tokenCount {
      let range = start..<min(start + step, tokenCount)
      let hidden = activations.finalNormalized.rows(range)
      let logits = activations.logits.rows(0..<range.count)
      try backend.run(
        MatrixMultiply(hidden, model.outputWeight, transposeRight: true, into: logits))
      try backend.run(
        CrossEntropy(
          logits: logits, targets: activations.targets.columns(range),
          losses: activations.losses.columns(range), gradientScale: gradientScale))
      try backend.run(
        MatrixMultiply(
          logits, model.outputWeight, into: activations.normalizedGradient.rows(range)))
      try backend.run(
        MatrixMultiply(
          logits, transposeLeft: true, hidden, into: outputGradient,
          adding: start == 0 ? sum(outputGradient) : outputGradient))
      start = range.upperBound
    }
    try clock.lap(\.output)
    try backend.zero(activations.streamGradient)
    try backend.run(
      RMSNorm.Backward(
        outputGradient: activations.normalizedGradient, input: activations.finalInput,
        weight: model.weight(.finalNorm), inverseRMS: activations.finalInverseRMS,
        inputGradient: activations.streamGradient, weightGradient: gradients[.finalNorm],
        copy: gradientCopy(layer: weights.count - 1)))
  }
}
