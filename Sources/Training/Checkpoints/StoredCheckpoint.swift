import Compute
import FeedForward
import Foundation
import Interchange
public import Transformer

/// A checkpoint on disk whose every file has the size and hash it was saved with.
public struct StoredCheckpoint {
  /// Its folder.
  public let path: String
  /// Step counters and the like.
  public let state: TrainingState
  /// Names and bytes of its files.
  public let files: [String: Int]
  private let parameters: SafetensorsFile

  /// Whether a folder holds a checkpoint, whole or not.
  public static func isAt(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/" + CheckpointManifest.name)
  }

  /// Verifies and opens a checkpoint folder.
  ///
  /// - Throws: a sentence naming the file that is wrong.
  public init(_ path: String) throws {
    self.path = path
    let manifest = try CheckpointManifest.verify(folder: path)
    files = Dictionary(
      manifest.files.map { ($0.name, $0.bytes) }, uniquingKeysWith: { first, _ in first })
    parameters = try SafetensorsFile(path + "/" + CheckpointStore.parametersName)
    let file = path + "/" + CheckpointStore.stateName
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: file))
      state = try JSONDecoder().decode(TrainingState.self, from: data)
    } catch {
      throw TrainingError("'\(file)' is damaged: it is not the state of a run")
    }
    guard state.step == manifest.step else {
      throw TrainingError(
        "'\(file)' is of step \(state.step), but its manifest of step \(manifest.step)")
    }
  }

  /// The configuration that the checkpoint was written with.
  public func configuration() throws -> RunConfiguration {
    try RunConfiguration.read(resolved: path + "/" + CheckpointStore.configurationName)
  }

  /// Puts the parameters into a model of the same shape.
  public func load(into model: TransformerModel) throws {
    for entry in model.table.entries {
      let values = try parameters.floats(entry.name, count: entry.count)
      try model.backend.write(values, to: model.parameters.view(entry))
    }
    try model.parametersChanged()
  }

  /// Puts everything into an engine of the same shape: the run goes on as if it never stopped.
  public func load(into engine: StepEngine) throws {
    try load(into: engine.model)
    let moments = try SafetensorsFile(path + "/" + CheckpointStore.optimizerName)
    for (arena, prefix) in [
      (engine.optimizer.firstMoment, "first_moment."),
      (engine.optimizer.secondMoment, "second_moment."),
    ] {
      for entry in engine.model.table.entries {
        let values = try moments.floats(prefix + entry.name, count: entry.count)
        try engine.model.backend.write(values, to: arena.view(entry))
      }
    }
    engine.optimizer.updates = state.updates
    var clusters = ClusterState()
    if state.hasClusters {
      let count = state.clusterSizes.count
      let isComparable = try configuration().feedForward.remembersLike(
        engine.pass.feedForward.configuration)
      clusters = ClusterState(
        isEmpty: false,
        centroids: try (0..<count).map { try parameters.floats("clusters.\($0).centroids") },
        places: state.clusterPlaces ?? [],
        remembered: try (0..<count).map {
          let name = "clusters.\($0).remembered"
          return isComparable && parameters.entry(name) != nil
            ? try parameters.floats(name) : []
        },
        sizes: state.clusterSizes, upScales: state.upScaleBits.map(Float.init(bitPattern:)),
        downScales: state.downScaleBits.map(Float.init(bitPattern:)))
    }
    try engine.pass.feedForward.restore(clusters)
  }
}
