/// What a training pass keeps between forward and backward.
public enum Recomputation: String, Sendable, Equatable, CaseIterable {
  /// Everything that gradients need.
  case none
  /// The input of every layer; the rest of a layer is computed again before its gradients. The same
  /// numbers, for about a third more work outside of the output projection.
  case layer
}
