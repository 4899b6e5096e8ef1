import ArgumentParser
import Compute
import ComputeCPU
import Training

/// Parameters, memory, operations, expected time; trains nothing.
struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what a configuration will cost; trains nothing.",
    discussion: """
      krait plan run.toml
      krait plan --preset 124m --set data.microBatch=4
      """)

  @Argument(help: "A TOML configuration.", completion: .file(extensions: ["toml"]))
  var configurationFile: String?
  @Option(help: "tiny, 124m, 350m, 1b or 7b.") var preset: String?
  @Option(name: .customLong("set"), help: "section.key=value; may be repeated.")
  var overrides: [String] = []
  @OptionGroup var machine: BackendOptions

  func run() throws {
    let configuration = try RunConfiguration.read(
      path: configurationFile, preset: preset, overrides: overrides)
    let device = configuration.device
    let backend = try BackendChoice.open(
      backend: machine.backend == "auto" ? device.backend : machine.backend,
      precision: machine.precision == "auto" ? device.precision : machine.precision,
      threads: machine.threads == 0 ? device.threads : machine.threads,
      blas: machine.blas.isEmpty ? device.blas : machine.blas,
      reproducible: machine.reproducible && device.reproducible)
    let plan = RunPlan(configuration, storage: backend.storage)
    let forecast = try (backend as? any MemoryMeter).map {
      try MemoryForecast(configuration, on: $0)
    }
    func mebibytes(_ bytes: Int) -> String { fixed(Double(bytes) / 1_048_576, 1) + " MiB" }
    func line(_ name: String, _ value: String) {
      print(name + String(repeating: " ", count: max(1, 33 - name.count)) + value)
    }
    line("parameters", "\(plan.parameters), \(plan.blockParameters) of them in blocks")
    line("parameters, gradients, moments", mebibytes(plan.stateBytes))
    line("activations outside FFNs", mebibytes(plan.activationBytes))
    line("feed-forward, dense steps", mebibytes(plan.denseFeedForwardBytes))
    if let bytes = plan.sparseFeedForwardBytes {
      line("feed-forward, sparse steps", mebibytes(bytes))
    }
    line("a dense evaluation", mebibytes(plan.evaluationBytes))
    line("peak memory", mebibytes(plan.peakBytes))
    if let forecast, let memory = forecast.device {
      for part in forecast.parts { line("  " + part.name, mebibytes(part.bytes)) }
      line("peak on the GPU", mebibytes(forecast.bytes) + ", of \(mebibytes(memory.total))")
    }
    line("host copy for a checkpoint", mebibytes(plan.checkpointBytes))
    line(
      "steps",
      "\(plan.denseSteps) dense, \(plan.sparseSteps) sparse, of "
        + "\(configuration.data.batch * configuration.data.sequence) tokens")
    if let warning = plan.warning { print(warning) }
    line("GFLOP per dense step", fixed(plan.denseFlops * 1e-9, 1))
    if let flops = plan.sparseFlops {
      line(
        "GFLOP per sparse step",
        fixed(flops * 1e-9, 1) + ", \(fixed(plan.denseFlops / flops, 2)) times fewer")
    }
    if let problem = forecast?.problem { line("does not fit", problem) }
    let rate = try MatrixRate.measure(backend)
    let dense = plan.denseFlops / rate
    let sparse = (plan.sparseFlops ?? 0) / rate
    line("this machine's matrix rate", fixed(rate * 1e-9, 0) + " GFLOP/s (\(backend.summary))")
    line(
      "at that rate",
      "\(ProgressLine.stepDuration(dense)) a dense step"
        + (plan.sparseFlops == nil ? "" : ", \(ProgressLine.stepDuration(sparse)) a sparse one"))
    line(
      "the whole run",
      "at least "
        + ProgressLine.duration(
          Double(plan.denseSteps) * dense + Double(plan.sparseSteps) * sparse))
  }
}

/// The rate of dense products on a backend.
enum MatrixRate {
  /// Floating-point operations per second of a square product, the best of several; one that is
  /// large enough to fill a GPU.
  static func measure(_ backend: any Backend) throws -> Double {
    let n = backend.runsImmediately ? 1024 : 8192
    let arena = try Arena(
      byteCount: 3 * Arena.bytes(rows: n, columns: n, backend.storage), on: backend,
      purpose: "matrix rate")
    let views = (0..<3).map { _ in arena.take(rows: n, columns: n, backend.storage) }
    for view in views { try backend.zero(view) }
    let product = MatrixMultiply(views[0], views[1], into: views[2])
    var best = Double.infinity
    for _ in 0..<6 {
      let start = InterleavedTimer.now()
      try backend.run(product)
      try backend.synchronize()
      best = min(best, InterleavedTimer.now() - start)
    }
    return product.flops / best
  }
}
