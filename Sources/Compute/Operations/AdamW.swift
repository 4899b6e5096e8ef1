/// One AdamW step on a contiguous stretch of parameters, decoupled weight decay included.
///
/// ```
/// g = gradient · gradientScale
/// m = beta1·m + (1 − beta1)·g
/// v = beta2·v + (1 − beta2)·g²
/// p = p − lr·weightDecay·p − lr · (m / (1 − beta1^t)) / (sqrt(v / (1 − beta2^t)) + epsilon)
/// ```
/// Shapes: all views have the same count. Float32, but gradients may have the storage type. Source: Loshchilov and Hutter, arXiv 1711.05101.
public struct AdamW: Operation {
  public var parameters: TensorView
  public var gradients: TensorView
  public var firstMoment: TensorView
  public var secondMoment: TensorView
  /// The copy of the parameters that products use, written beside them; nil when they use the
  /// parameters themselves.
  public var weights: TensorView?
  public var learningRate: Float
  public var beta1: Float
  public var beta2: Float
  public var epsilon: Float
  public var weightDecay: Float
  /// Factor on every gradient: accumulation and clipping together.
  public var gradientScale: Float
  /// Number of this update, from 1.
  public var step: Int

  /// See the type.
  public init(
    parameters: TensorView, gradients: TensorView, firstMoment: TensorView,
    secondMoment: TensorView, weights: TensorView? = nil, learningRate: Float, beta1: Float,
    beta2: Float, epsilon: Float,
    weightDecay: Float, gradientScale: Float, step: Int
  ) {
    self.parameters = parameters
    self.gradients = gradients
    self.firstMoment = firstMoment
    self.secondMoment = secondMoment
    self.weights = weights
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
    self.step = step
  }

  public func checkShapes() {
    for view in [gradients, firstMoment, secondMoment] {
      require(view.count, parameters.count, "count")
    }
    if let weights { require(weights.count, parameters.count, "weights") }
    precondition(step >= 1, "AdamW: step \(step) is below 1")
  }

  public var flops: Double { 14 * Double(parameters.count) }
  public var bytes: Double {
    2 * size(parameters, firstMoment, secondMoment) + size(gradients)
      + (weights.map { size($0) } ?? 0)
  }
}
