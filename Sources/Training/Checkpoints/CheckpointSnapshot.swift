import Compute
import FeedForward
import Transformer

/// A copy of everything a checkpoint holds, in host memory: training goes on while it is written.
public struct CheckpointSnapshot: Sendable {
  /// A tensor by name.
  public struct Tensor: Sendable {
    let name: String
    let shape: [Int]
    let values: [Float]
  }

  /// Step counters and the like.
  public let state: TrainingState
  /// The configuration as TOML.
  public let configuration: String
  let parameters: [Tensor]
  let optimizer: [Tensor]

  /// Copies a run's state.
  ///
  /// - Throws: `TrainingError` when any number is not finite: such a state is never saved.
  public init(
    _ engine: StepEngine, state: TrainingState, configuration: RunConfiguration
  ) throws {
    let table = engine.model.table
    try engine.pass.feedForward.readClusterState()
    let clusters = engine.pass.feedForward.clusterState
    var state = state
    state.updates = engine.optimizer.updates
    state.hasClusters = !clusters.isEmpty
    state.clusterSizes = clusters.sizes
    state.clusterPlaces = clusters.places
    state.upScaleBits = clusters.upScales.map(\.bitPattern)
    state.downScaleBits = clusters.downScales.map(\.bitPattern)
    self.state = state
    self.configuration = configuration.toml

    func tensors(_ arena: ParameterArena, prefix: String) throws -> [Tensor] {
      try table.entries.map { entry in
        let values = try engine.model.backend.read(arena.view(entry))
        try CheckpointSnapshot.requireFinite(values, prefix + entry.name)
        return Tensor(
          name: prefix + entry.name, shape: [entry.rows, entry.columns], values: values)
      }
    }
    var parameters = try tensors(engine.model.parameters, prefix: "")
    let width = engine.model.configuration.width
    for (layer, centroids) in clusters.centroids.enumerated() {
      try CheckpointSnapshot.requireFinite(centroids, "clusters.\(layer).centroids")
      parameters.append(
        Tensor(
          name: "clusters.\(layer).centroids", shape: [centroids.count / width, width],
          values: centroids))
    }
    for (layer, sums) in clusters.remembered.enumerated() where !sums.isEmpty {
      let name = "clusters.\(layer).remembered"
      try CheckpointSnapshot.requireFinite(sums, name)
      let neurons = engine.model.configuration.hiddenWidth
      parameters.append(Tensor(name: name, shape: [sums.count / neurons, neurons], values: sums))
    }
    self.parameters = parameters
    optimizer =
      try tensors(engine.optimizer.firstMoment, prefix: "first_moment.")
      + tensors(engine.optimizer.secondMoment, prefix: "second_moment.")
  }

  private static func requireFinite(_ values: [Float], _ name: String) throws {
    // x − x is 0 for a finite x and NaN otherwise, and the sum keeps a NaN: this vectorises.
    var sum: Float = 0
    for value in values { sum += value - value }
    guard sum == 0 else {
      throw TrainingError(
        "'\(name)' holds a number that is not finite, and such a state is never saved")
    }
  }
}
