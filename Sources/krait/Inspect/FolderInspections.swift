import ArgumentParser
import Compute
import FeedForward
import Foundation
import Interchange
import Training
import Transformer

/// A checkpoint: verified against its manifest, its counters, its tensors.
enum CheckpointInspection: Inspection {
  static let kind = "checkpoints (runs/*/checkpoints/step-*)"

  static func recognises(_ path: String) -> Bool { StoredCheckpoint.isAt(path) }

  static func inspect(_ path: String, _ options: InspectOptions) throws {
    let checkpoint = try StoredCheckpoint(path)
    let state = checkpoint.state
    print("folder     \(path)")
    print("format     checkpoint; sizes and SHA-256 of all files are as they were saved")
    for (name, bytes) in checkpoint.files.sorted(by: { $0.key < $1.key }) {
      print("file       \(name), \(bytes) bytes")
    }
    print("step       \(state.step), \(state.updates) updates, \(state.tokens) tokens")
    print("data       next sample \(state.nextSample), seed \(state.seed)")
    print("seconds    \(fixed(state.seconds, 1)) in steps")
    print("written    by \(state.writer)")
    if state.hasClusters {
      print("clusters   \(state.clusterSizes.map { "\($0.count)" }.joined(separator: ", "))")
    }
    let file = try SafetensorsFile(path + "/parameters.safetensors")
    var table = TensorTable(values: options.values)
    for entry in file.entries {
      try table.add(entry.name, entry.type, entry.shape) { try file.floats(entry.name) }
    }
    table.show()
  }
}

/// A run: what was configured, and whether each of its checkpoints is whole.
enum RunInspection: Inspection {
  static let kind = "runs (runs/*)"

  static func recognises(_ path: String) -> Bool { RunFolder(path).holdsRun }

  static func inspect(_ path: String, _ options: InspectOptions) throws {
    let folder = RunFolder(path)
    let configuration = try folder.configuration()
    print("folder     \(path)")
    print("format     run of \(configuration.schedule.steps) steps")
    let plan = RunPlan(configuration)
    print("model      \(plan.parameters) parameters; 'krait plan' tells more")
    let store = CheckpointStore(folder.checkpointsPath)
    var failures = 0
    for step in store.steps() {
      do {
        let checkpoint = try StoredCheckpoint(store.path(step: step))
        let bytes = checkpoint.files.values.reduce(0, +)
        print("checkpoint step \(step), \(bytes) bytes, whole")
      } catch {
        failures += 1
        print("checkpoint step \(step) cannot be used: \(error)")
      }
    }
    if store.steps().isEmpty { print("checkpoint none") }
    if failures > 0 { throw ExitCode(1) }
  }
}

/// A folder in Hugging Face's layout, compared with its own `config.json`.
enum HuggingFaceInspection: Inspection {
  static let kind = "Hugging Face folders (with config.json)"

  static func recognises(_ path: String) -> Bool { HuggingFaceFolder.isAt(path) }

  static func inspect(_ path: String, _ options: InspectOptions) throws {
    let folder = try HuggingFaceFolder(path)
    let model = folder.model
    print("folder     \(path)")
    print("format     Hugging Face, ArceeForCausalLM; its tensors are those of its config.json")
    print(
      "model      \(model.layers) layers, d \(model.width), f \(model.hiddenWidth), heads "
        + "\(model.heads)/\(model.keyValueHeads) of \(model.headWidth), vocabulary "
        + "\(model.vocabulary)\(model.tiedEmbeddings ? ", tied" : "")")
    print("positions  \(folder.config.positions), rotary base \(model.ropeTheta)")
    for (key, value) in folder.config.notes.sorted(by: { $0.key < $1.key }) {
      print("krait      \(key) = \(value)")
    }
    for file in folder.tensors.files { print("file       \(file.path)") }
    var table = TensorTable(values: options.values)
    for entry in folder.tensors.entries {
      try table.add(entry.name, entry.type, entry.shape) {
        try folder.tensors.floats(entry.name)
      }
    }
    table.show()
  }
}
