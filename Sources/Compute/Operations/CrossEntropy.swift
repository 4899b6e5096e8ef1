/// The loss of every token, `log Σ exp(z) − z[target]`, and its gradient in place of the logits.
///
/// Shapes: logits [T, vocabulary] (may be a chunk of a batch), targets int32 [1, T],
/// losses float32 [1, T]. With `gradientScale`, logits become `(softmax − one-hot) · scale`;
/// nil leaves them alone. A negative target is ignored: loss 0, gradient 0.
/// The maximum is subtracted first, so that no exponential overflows.
public struct CrossEntropy: Operation {
  public var logits: TensorView
  public var targets: TensorView
  public var losses: TensorView
  public var gradientScale: Float?

  /// See the type.
  public init(
    logits: TensorView, targets: TensorView, losses: TensorView, gradientScale: Float?
  ) {
    self.logits = logits
    self.targets = targets
    self.losses = losses
    self.gradientScale = gradientScale
  }

  public func checkShapes() {
    require(targets, .int32, "targets")
    require(targets.count, logits.rows, "targets")
    require(losses.count, logits.rows, "losses")
  }

  public var flops: Double { 5 * Double(logits.count) }
  public var bytes: Double { size(logits) * (gradientScale == nil ? 1 : 2) + size(losses) }
}
