import Foundation
import Testing

/// What `krait plan` says of a GPU's memory is what a run there allocates, in bfloat16.
///
/// On a GPU that is none: libraries and kernels weigh nothing there, arenas and work memory do.
@Suite(.enabled(if: FakeGPU.compiler != nil, "there is no C compiler")) struct GPUMemoryTests {
  private static let sizes: [String] = [
    "model.width=256", "model.hiddenWidth=1024", "model.layers=3", "model.heads=4",
    "model.keyValueHeads=2", "model.headWidth=64", "data.sequence=512", "data.batch=4",
    "data.microBatch=2", "schedule.warmup=2", "run.checkpointInterval=0",
    "run.evaluateSequences=2", "run.sampleTokens=4", "schedule.steps=6", "schedule.denseWarmup=2",
    "schedule.sparseFraction=0.5", "device.backend=cuda",
  ].flatMap { ["--set", $0] }

  @Test(arguments: [
    ["feedForward.mode=dense"], ["feedForward.mode=columns"], ["feedForward.mode=paper"],
    ["feedForward.mode=columns", "schedule.denseWarmup=0", "schedule.sparseFraction=1.0"],
    ["feedForward.mode=columns", "feedForward.selection=exact", "feedForward.eightBitChoice=true"],
    ["feedForward.samples=32", "feedForward.eightBitChoice=true", "feedForward.sparseWeights=up"],
    [
      "feedForward.densities=[0.9,0.125,0.125]", "feedForward.eightBitChoice=true",
      "feedForward.sparseWeights=up",
    ],
    ["feedForward.mode=columns", "feedForward.centroidInterval=1"],
    ["feedForward.mode=dense", "device.precision=float32"],
    ["feedForward.mode=dense", "device.recompute=layer"],
  ])
  func planAndRunAgree(overrides: [String]) throws {
    let gpu = try FakeGPU()
    defer { gpu.delete() }
    let settings = GPUMemoryTests.sizes + overrides.flatMap { ["--set", $0] }
    let plan = try Command.run(["plan"] + settings, environment: gpu.environment())
    let run = try Command.run(
      ["train"] + settings, in: gpu.folder, environment: gpu.environment())
    let planned = try #require(mebibytes("peak on the GPU", plan.output), "\(plan.errors)")
    let taken = try #require(mebibytes("peak memory", run.output), "\(run.errors)")
    #expect(abs(planned / taken - 1) < 0.05, "\(planned) MiB planned, \(taken) MiB taken")
  }

  /// The number after a name at the start of a line.
  private func mebibytes(_ name: String, _ text: String) -> Double? {
    text.split(separator: "\n").first { $0.hasPrefix(name) }
      .flatMap { $0.dropFirst(name.count).split(separator: " ").first }.flatMap { Double($0) }
  }
}
