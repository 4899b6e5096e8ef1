/// What may change between a checkpoint and the run that goes on from it.
package enum ResumeRules {
  /// Settings that the tensors of a checkpoint, or the order of its data, were made with.
  private static func isBound(_ key: ConfigurationKey) -> Bool {
    key.section == "model"
      || [
        "feedForward.mode", "feedForward.clusters", "feedForward.sparseWeights", "data.sequence",
        "run.seed",
      ].contains(key.path)
  }

  /// Compares the configuration of a checkpoint with the one that a resumed run asks for.
  ///
  /// - Returns: a line for every setting that differs and may.
  /// - Throws: `ConfigurationError` that lists every setting that differs and must not.
  package static func changes(
    from stored: RunConfiguration, to requested: RunConfiguration
  ) throws(ConfigurationError) -> [String] {
    var changes: [String] = []
    var mistakes: [String] = []
    for key in RunConfiguration.keys {
      let old = key.get(stored)
      let new = key.get(requested)
      // Where a run folder lies is no property of the run.
      if old == new || key.path == "run.folder" || key.path == "run.name" { continue }
      if isBound(key) {
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
