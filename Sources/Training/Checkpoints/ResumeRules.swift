/// What may change between a checkpoint and the run that goes on from it.
package enum ResumeRules {
  /// Settings that the tensors of a checkpoint, or the order of its data, were made with.
  private static func isBound(_ key: ConfigurationKey, hasClusters: Bool) -> Bool {
    if key.section == "model" { return true }
    if ["feedForward.clusters", "feedForward.sparseWeights"].contains(key.path) {
      return hasClusters
    }
    return ["feedForward.mode", "data.sequence", "run.seed"].contains(key.path)
  }

  /// Compares the configuration of a checkpoint with the one that a resumed run asks for.
  ///
  /// - Parameter hasClusters: Whether the checkpoint has clusters and scales of 2:4 weights, which it gets
  ///   when sparsity is switched on: before that, what they are made with may change.
  /// - Returns: a line for every setting that differs and may.
  /// - Throws: `ConfigurationError` that lists every setting that differs and must not.
  package static func changes(
    from stored: RunConfiguration, to requested: RunConfiguration, hasClusters: Bool
  ) throws(ConfigurationError) -> [String] {
    var changes: [String] = []
    var mistakes: [String] = []
    for key in RunConfiguration.keys {
      let old = key.get(stored)
      let new = key.get(requested)
      // Where a run folder lies is no property of the run.
      if old == new || key.path == "run.folder" || key.path == "run.name" { continue }
      if isBound(key, hasClusters: hasClusters) {
        mistakes.append(
          "\(key.path) is \(new.toml), but the run to resume was started with \(old.toml); leave "
            + "the setting out, or start another run (run.name)")
      } else {
        changes.append("\(key.path) changes from \(old.toml) to \(new.toml)")
      }
    }
    guard mistakes.isEmpty else { throw ConfigurationError(mistakes) }
    return changes
  }
}
