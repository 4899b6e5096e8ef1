import FeedForward
public import Transformer

/// What a preset sets beyond the shape of the model.
public enum PresetDefaults {
  /// The whole configuration of a preset.
  public static func configuration(_ preset: Preset) -> RunConfiguration {
    var configuration = RunConfiguration(bare: ())
    configuration.model = preset.model
    configuration.data.sequence = preset.sequenceLength
    configuration.run.name = preset.rawValue
    switch preset {
    case .tiny: tiny(&configuration)
    case .m124: large(&configuration, learningRate: 1.5e-3, batch: 480, microBatch: 16)
    case .m350: large(&configuration, learningRate: 1e-3, batch: 480, microBatch: 8)
    case .b1: large(&configuration, learningRate: 6e-4, batch: 256, microBatch: 4)
    case .b7: large(&configuration, learningRate: 3e-4, batch: 512, microBatch: 1)
    }
    return configuration
  }

  /// The built-in corpus, in a few minutes on two cores.
  private static func tiny(_ configuration: inout RunConfiguration) {
    configuration.data.batch = 8
    configuration.data.microBatch = 8
    configuration.schedule.steps = 400
    configuration.schedule.learningRate = 2e-3
    configuration.schedule.warmup = 30
    configuration.schedule.denseWarmup = 40
    configuration.schedule.sparseFraction = 0.8
    configuration.feedForward.clusters = 32
    // A micro-batch of 2048 tokens would make 16 blocks of 128, half as many as there are clusters.
    configuration.feedForward.blockTokens = 32
    // With what is remembered 8 of 32 do what 16 do without: held-out 0.3662 and 0.3646 ± 0.0016, training
    // loss 0.0007 ± 0.0011 lower, four seeds; feed-forward networks 3.8 times as fast as dense ones, not
    // 3.25 times (2026-11-27, two CPU cores).
    configuration.feedForward.samples = 8
    configuration.feedForward.memoryRate = 0.1
    // Held-out 0.3652 instead of 0.3686, training loss 0.0096 above dense's instead of 0.0151: means of
    // four seeds (2026-11-26, two CPU cores).
    configuration.feedForward.centroidInterval = 20
    // 0.3606 instead of 0.3652, training loss 0.0062 above dense's instead of 0.0096 (the same four seeds):
    // of 64 blocks a neighbour's tokens are too different. A CPU gains nothing from lists that change less.
    configuration.feedForward.neighbourWeight = 0
  }

  private static func large(
    _ configuration: inout RunConfiguration, learningRate: Double, batch: Int, microBatch: Int
  ) {
    configuration.data.batch = batch
    configuration.data.microBatch = microBatch
    configuration.schedule.steps = 20_000
    configuration.schedule.learningRate = learningRate
    configuration.schedule.warmup = 700
    // Few dense steps at the end: more gain nothing. 16 of 128 tokens judged by 8 bits do what 32 do, with
    // centroids that move.
    // Benchmarks/Reports/2026-11-26-learning-rate-h200.md and 2026-11-27-sparse-steps-h200.md say what each
    // is worth.
    configuration.schedule.denseWarmup = 200
    configuration.schedule.sparseFraction = 0.98
    configuration.feedForward.profile = .rising
    configuration.feedForward.samples = 16
    configuration.feedForward.chooseBy = .squares
    configuration.feedForward.eightBitChoice = true
    configuration.feedForward.centroidInterval = 20
    // What earlier samples of a cluster said, in the neighbours' place: training loss 0.0119 above dense's
    // instead of 0.0192, held-out 0.0139 instead of 0.0174 (110 million parameters, from one dense
    // checkpoint each, two seeds), for no time. Benchmarks/Reports/2026-11-27-memory-h200.md.
    configuration.feedForward.memoryRate = 0.1
    configuration.feedForward.neighbourWeight = 0
    configuration.run.evaluateInterval = 500
    configuration.run.checkpointInterval = 1000
    configuration.run.statisticsInterval = 500
    configuration.feedForward.reclusterInterval = 0
  }
}
