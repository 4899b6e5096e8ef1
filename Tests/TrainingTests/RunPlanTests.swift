import ComputeCPU
import Foundation
import Testing
import Training

/// What `krait plan` says of memory is what a run takes.
@Suite struct RunPlanTests {
  static let cases: [(name: String, overrides: [String])] = [
    ("dense", ["feedForward.mode=\"dense\""]),
    ("columns sampled", []),
    (
      "columns exact, clustered again",
      [
        "feedForward.selection=\"exact\"", "feedForward.reclusterInterval=2",
        "feedForward.centroidInterval=0",
      ]
    ),
    ("columns, centroids move", ["feedForward.centroidInterval=2"]),
    ("dense, computed again", ["feedForward.mode=\"dense\"", "device.recompute=\"layer\""]),
    (
      "columns, computed again", ["device.recompute=\"layer\"", "feedForward.densities=[0.5,0.25]"]
    ),
    ("columns, an order for two layers", ["feedForward.layersPerOrder=2"]),
    ("columns to the end", ["schedule.sparseFraction=1.0", "schedule.denseWarmup=0"]),
    ("paper, U and D", ["feedForward.mode=\"paper\"", "feedForward.sparseWeights=\"both\""]),
    (
      "paper, gradients of A transposed, no evaluation between",
      [
        "feedForward.mode=\"paper\"", "feedForward.weightGradientPattern=\"venom\"",
        "run.evaluateInterval=0",
      ]
    ),
    (
      "evaluation in uneven batches, tied",
      [
        "run.evaluateSequences=5", "model.tiedEmbeddings=true",
      ]
    ),
  ]

  @Test(arguments: cases.map(\.name))
  func peakMemoryIsWhatTheBackendAllocates(name: String) throws {
    let overrides = try #require(RunPlanTests.cases.first { $0.name == name }).overrides
    let configuration = try RunConfiguration.read(
      preset: "tiny",
      overrides: [
        "model.width=64", "model.hiddenWidth=512", "model.layers=2", "model.heads=4",
        "model.keyValueHeads=2", "model.headWidth=16", "data.sequence=64", "data.batch=4",
        "data.microBatch=2", "feedForward.blockTokens=32", "feedForward.clusters=8",
        "schedule.steps=8", "schedule.warmup=1", "schedule.denseWarmup=2",
        "schedule.sparseFraction=0.5", "run.evaluateInterval=1", "run.evaluateSequences=4",
        "run.statisticsInterval=1", "run.checkpointInterval=0", "run.sampleTokens=4",
      ] + overrides)
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "krait-plan-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let backend = CPUBackend(threads: 2)
    let phases = SparsityPhases(configuration.schedule, feedForward: configuration.feedForward)
    let trainer = try Trainer(
      configuration, on: backend, folder: RunFolder(folder), start: .new, version: "test",
      progress: ProgressLine(
        steps: 8, phases: phases, interval: 8, terminal: false, write: { _ in }))
    let summary = try trainer.run()
    #expect(summary.step == 8)
    let predicted = Double(RunPlan(configuration).peakBytes)
    #expect(abs(Double(backend.peakBytes) / predicted - 1) < 0.01)
  }
}
