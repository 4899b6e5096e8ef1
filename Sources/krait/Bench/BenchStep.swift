import ArgumentParser
import Compute
import FeedForward
import Training
import Transformer

/// Whole training steps: forward, backward, clipping, AdamW.
struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Whole training steps, dense and sparse: tokens/s, where time and memory go.",
    discussion: """
      Two models of the same shape train on made-up tokens in turn, one densely, one with sampled \
      columns. 'processor s' is the time of all threads: on a busy machine its ratio says more \
      than the clock on the wall.
      """)

  @OptionGroup var machine: BackendOptions
  @Option(help: "Take the shape from a preset: tiny, 124m, 350m, 1b or 7b.") var preset: String?
  @Option(help: "d, model width.") var width: Int?
  @Option(help: "The number of blocks.") var layers: Int?
  @Option(help: "f, neurons; default: 4 d.") var hidden: Int?
  @Option(help: "Query heads; default: d / 64.") var heads: Int?
  @Option(help: "Key and value heads; default: as many as query heads.") var keyValueHeads: Int?
  @Option(help: "Token ids; 257 are bytes and a separator.") var vocabulary: Int?
  @Option(help: "Tokens of a sequence.") var sequence: Int?
  @Option(help: "Sequences of a step.") var sequences = 4
  @Option(help: "rho, share of neurons that sparse steps keep.") var density = 0.125
  @Option(help: "V, tokens of a block.") var block = 128
  @Option(help: "Samples of each block.") var samples = 8
  @Option(help: "Clusters that tokens are routed by; 0 for none.") var clusters = 48
  @Option(help: "Steps of each variant that count.") var rounds = 5
  @Option(help: "Steps of each variant before.") var warmUps = 1
  @Option(help: "What to run: both, dense or columns.") var only = "both"
  @Flag(help: "Keep only every layer's input until the backward pass.") var recompute = false
  @Flag(help: "One JSON object instead of tables.") var json = false
  @Flag(help: "Also time every kernel and library call of one more step (NVIDIA GPUs).")
  var kernels = false

  func validate() throws {
    for (name, value) in [("sequences", sequences), ("rounds", rounds)] where value < 1 {
      throw ValidationError("--\(name) is \(value); it must be at least 1")
    }
    if warmUps < 0 { throw ValidationError("--warm-ups is \(warmUps); it must be 0 or more") }
    if let sequence, sequence < 1 {
      throw ValidationError("--sequence is \(sequence); it must be at least 1")
    }
    if !["both", "dense", "columns"].contains(only) {
      throw ValidationError("--only is '\(only)'; it must be both, dense or columns")
    }
  }

  func run() throws {
    let (model, length) = try shape()
    var feedForward = FeedForwardConfiguration()
    feedForward.density = density
    feedForward.blockTokens = block
    feedForward.samples = samples
    feedForward.clusters = clusters
    let problems =
      model.problems()
      + feedForward.problems(
        width: model.width, hiddenWidth: model.hiddenWidth, layers: model.layers)
    if let first = problems.first { throw ValidationError(first) }
    let backend = try machine.open()
    var variants: [StepVariant] = []
    for (name, mode) in [("dense", FeedForwardMode.dense), ("columns", .columns)]
    where only == "both" || only == name {
      variants.append(
        try StepVariant(
          name == "columns" ? "columns sampled \(density)" : name, model, mode: mode,
          feedForward: feedForward, sequences: sequences, sequenceLength: length,
          recomputation: recompute ? .layer : .none, like: variants.first, on: backend))
    }
    for round in -warmUps..<rounds {
      for variant in variants { try variant.step(isWarmUp: round < 0) }
    }
    for variant in variants {
      for _ in 0..<3 { try variant.placeStep() }
    }
    let peak = try PeakMemory(backend)?.sentence
    let headline =
      "Training step: d \(model.width), f \(model.hiddenWidth), \(model.layers) layers, "
      + "\(model.heads) heads, vocabulary \(model.vocabulary), \(sequences) sequences of "
      + "\(length) tokens; V \(block), \(samples) samples, \(clusters) clusters; "
      + "median of \(rounds)"
    let report = StepReport(
      variants, layers: model.layers, headline: headline, machine: backend.summary,
      work: StepWork(model, sequences: sequences, sequenceLength: length),
      rate: try MeasuredMatrixRate(on: backend), peak: peak)
    print(json ? report.json : report.text)
    guard kernels else { return }
    for variant in variants {
      guard let costs = try BackendChoice.profile(backend, variant.plainStep) else {
        throw CleanError("--kernels: only a step on an NVIDIA GPU has kernels to time")
      }
      print("\n" + CallTable(costs, name: variant.name).text)
    }
  }

  /// The model's shape and the length of a sequence, from the preset and what overrides it.
  private func shape() throws -> (ModelConfiguration, Int) {
    var model = ModelConfiguration()
    var length = 512
    if let preset {
      guard let known = Preset(rawValue: preset) else {
        let names = Preset.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--preset is '\(preset)'; it must be one of \(names)")
      }
      model = known.model
      length = known.sequenceLength
    } else {
      model.width = 512
      model.layers = 8
    }
    if let width { model.width = width }
    if let layers { model.layers = layers }
    if preset == nil || width != nil { model.hiddenWidth = 4 * model.width }
    if let hidden { model.hiddenWidth = hidden }
    if preset == nil || width != nil || heads != nil {
      model.heads = heads ?? max(1, model.width / 64)
      model.keyValueHeads = model.heads
      model.headWidth = model.heads > 0 ? max(2, model.width / model.heads / 2 * 2) : 0
    }
    if let keyValueHeads { model.keyValueHeads = keyValueHeads }
    if let vocabulary { model.vocabulary = vocabulary }
    return (model, sequence ?? length)
  }
}
