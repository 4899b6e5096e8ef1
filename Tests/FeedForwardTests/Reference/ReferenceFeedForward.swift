/// `Y = (relu(X Uᵀ)² ⊙ m) D` and its gradients in double precision, the mask a constant.
struct ReferenceFeedForward {
  let input: Matrix
  let up: Matrix
  let down: Matrix

  /// A, before any mask.
  var activation: Matrix {
    (input * up.transposed).map { $0 > 0 ? $0 * $0 : 0 }
  }

  /// Y.
  func output(mask: Matrix) -> Matrix { activation.combined(mask, *) * down }

  /// dX, dU and dD from dY.
  ///
  /// `weightMask` is what products 4 and 6 keep; nil keeps what the mask does.
  func gradients(
    of outputGradient: Matrix, mask: Matrix, weightMask: Matrix? = nil
  ) -> (input: Matrix, up: Matrix, down: Matrix) {
    let kept = activation.combined(mask, *)
    let root = kept.map { 2 * $0.squareRoot() }
    let hidden = (outputGradient * down.transposed).combined(root, *)
    let second = weightMask ?? mask
    return (
      hidden * up, hidden.combined(second, *).transposed * input,
      kept.combined(second, *).transposed * outputGradient
    )
  }
}
