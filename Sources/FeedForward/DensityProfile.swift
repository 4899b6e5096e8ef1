/// How the density of `columns` varies with a layer's depth.
public enum DensityProfile: String, Sendable, CaseIterable, Codable {
  /// The same everywhere.
  case uniform
  /// Four times the density in the first and the last layer, twice in the last quarter, half of it
  /// in all others.
  ///
  /// In trained models 1 or 2 % of a middle layer's activations are not zero, but 10 to 40 % of the
  /// first layer's and 15 to 20 % of the last one's: an eighth is more than the former need, and
  /// the latter lose by it (LOG.md).
  case ends
  /// Eight times the density in the first layer, a quarter of it in the layers up to five twelfths of the
  /// depth, the density itself up to the last quarter, twice there. At an eighth the first layer computes
  /// densely.
  ///
  /// A third of the first layer's activations are not zero; with half of its neurons a model came later
  /// through the steepest fall of its loss than with all (LOG.md). In the layers up to the middle 1 or 2 %
  /// are not zero.
  case rising

  /// The density of a layer, at most 1.
  ///
  /// - Parameters:
  ///   - density: what the profile is applied to.
  ///   - layer: from 0.
  ///   - layers: of the model.
  public func density(_ density: Double, layer: Int, of layers: Int) -> Double {
    let isLast = layer >= layers - (layers + 3) / 4
    switch self {
    case .uniform: return density
    case .ends:
      if layer == 0 || layer == layers - 1 { return min(1, 4 * density) }
      return min(1, isLast ? 2 * density : density / 2)
    case .rising:
      if layer == 0 { return min(1, 8 * density) }
      if isLast { return min(1, 2 * density) }
      return 12 * layer < 5 * layers ? density / 4 : density
    }
  }
}
