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
      One model trains on made-up tokens, densely and with sampled columns in turn; the first \
      steps after every change of mode do not count (--warm-ups). 'processor s' is the time of \
      all threads: on a busy machine its ratio says more than the clock on the wall. \
      'Everything' is parameters, gradients, moments, activations and work memory. A step \
      cannot become faster than the dense one without its feed-forward networks: that limit is \
      printed too.
      """)

  @OptionGroup var machine: BackendOptions
  @Option(help: "Take the shape from a preset: tiny, 124m, 350m, 1b or 7b.") var preset: String?
  @Option(help: "d, model width.") var width: Int?
  @Option(help: "The number of blocks.") var layers: Int?
  @Option(help: "f, neurons; default: 4 d.") var hidden: Int?
  @Option(help: "Query heads; default: d / 64.") var heads: Int?
  @Option(help: "Key and value heads; default: as many as query heads.") var keyValueHeads: Int?
  @Option(help: "Width of a head; with it, --heads defaults to d / this.") var headWidth: Int?
  @Option(help: "Token ids; 257 are bytes and a separator.") var vocabulary: Int?
  @Option(help: "Tokens of a sequence.") var sequence: Int?
  @Option(help: "Sequences of a step.") var sequences = 4
  @Option(help: "rho, share of neurons that sparse steps keep.") var density = 0.125
  @Option(help: "How rho varies with depth: \(profiles).") var profile = "uniform"
  @Option(help: "V, tokens of a block.") var block = 128
  @Option(help: "Samples of each block.") var samples = 8
  @Flag(help: "Sparse steps choose columns by all tokens of a block.") var exact = false
  @Flag(help: "Sparse steps choose columns by products of 8-bit factors.") var eightBits = false
  @Option(help: "Clusters that tokens are routed by; 0 for none.") var clusters = 48
  @Option(help: "Sparse layers that take their tokens in one order.") var layersPerOrder = 1
  @Option(help: "Steps of each variant that count.") var rounds = 5
  @Option(help: "Steps after every change of mode that do not count.") var warmUps = 1
  @Option(help: "What to run: both, dense or columns.") var only = "both"
  @Flag(help: "Keep only every layer's input until the backward pass.") var recompute = false
  @Flag(help: "One JSON object instead of tables.") var json = false
  @Flag(help: "Also time every kernel and library call of one more step (NVIDIA GPUs).")
  var kernels = false

  private static let profiles = DensityProfile.allCases.map(\.rawValue).joined(separator: ", ")

  func validate() throws {
    for (name, value) in [("sequences", sequences), ("rounds", rounds)] where value < 1 {
      throw ValidationError("--\(name) is \(value); it must be at least 1")
    }
    if warmUps < 0 { throw ValidationError("--warm-ups is \(warmUps); it must be 0 or more") }
    if let sequence, sequence < 1 {
      throw ValidationError("--sequence is \(sequence); it must be at least 1")
    }
    if DensityProfile(rawValue: profile) == nil {
      throw ValidationError("--profile is '\(profile)'; it must be one of: \(BenchStep.profiles)")
    }
    if !["both", "dense", "columns"].contains(only) {
      throw ValidationError("--only is '\(only)'; it must be both, dense or columns")
    }
  }

  func run() throws {
    let (model, length) = try shape()
    var feedForward = FeedForwardConfiguration()
    feedForward.density = density
    feedForward.profile = DensityProfile(rawValue: profile) ?? .uniform
    feedForward.blockTokens = block
    feedForward.samples = samples
    feedForward.selection = exact ? .exact : .sampled
    feedForward.eightBitChoice = eightBits
    feedForward.clusters = clusters
    feedForward.layersPerOrder = layersPerOrder
    let problems =
      model.problems()
      + feedForward.problems(
        width: model.width, hiddenWidth: model.hiddenWidth, layers: model.layers)
    if let first = problems.first { throw CleanError(first) }
    let backend = try machine.open()
    try checkMemory(model, feedForward, length, on: backend)
    let stepModel = try StepModel(
      model, feedForward: feedForward, sequences: sequences, sequenceLength: length,
      recomputation: recompute ? .layer : .none, warmUps: warmUps, on: backend)
    let columns =
      "columns \(feedForward.selection.rawValue) \(density)" + (eightBits ? ", by 8 bits" : "")
      + (feedForward.profile == .uniform ? "" : ", \(feedForward.profile.rawValue)")
    let variants = [("dense", FeedForwardMode.dense), ("columns", .columns)]
      .filter { only == "both" || only == $0.0 }
      .map { name, mode in
        StepVariant(
          mode == .dense ? name : columns, mode: mode, on: stepModel)
      }
    for _ in 0..<rounds {
      for variant in variants { try variant.step() }
    }
    for variant in variants {
      for _ in 0..<3 { try variant.placeStep() }
    }
    var peak = try PeakMemory(backend)
    peak?.allocated = variants.compactMap(\.bytes).max() ?? 0
    let headline =
      "Training step: d \(model.width), f \(model.hiddenWidth), \(model.layers) layers, "
      + "\(model.heads) heads of \(model.headWidth), vocabulary \(model.vocabulary), \(sequences) sequences of "
      + "\(length) tokens; V \(block), \(samples) samples, \(clusters) clusters, "
      + "\(layersPerOrder) \(layersPerOrder == 1 ? "layer" : "layers") an order; "
      + "median of \(rounds)"
    let report = StepReport(
      variants, headline: headline, machine: backend.summary,
      work: StepWork(model, sequences: sequences, sequenceLength: length),
      rate: try MeasuredMatrixRate(on: backend), peak: peak?.sentence, warmUps: warmUps)
    print(json ? report.json : report.text)
    guard kernels else { return }
    for variant in variants {
      guard let costs = try BackendChoice.profile(backend, variant.plainStep) else {
        throw CleanError("--kernels: only a step on an NVIDIA GPU has kernels to time")
      }
      print("\n" + CallTable(costs, name: variant.name).text)
    }
  }

  /// Refuses what does not fit before minutes are spent on it.
  private func checkMemory(
    _ model: ModelConfiguration, _ feedForward: FeedForwardConfiguration, _ length: Int,
    on backend: any Backend
  ) throws {
    guard let meter = backend as? any MemoryMeter else { return }
    var run = RunConfiguration()
    run.model = model
    run.feedForward = feedForward
    run.feedForward.mode = only == "dense" ? .dense : .columns
    run.data.sequence = length
    run.data.batch = sequences
    run.data.microBatch = sequences
    run.run.evaluateSequences = 0
    run.device.recompute = recompute ? .layer : .none
    run.schedule.phases = [.init(mode: .dense, steps: 1), .init(mode: .columns, steps: 1)]
      .filter { only == "both" || only == $0.mode.rawValue }
    run.schedule.steps = run.schedule.phases.count
    if let problem = try MemoryForecast(run, on: meter).problem {
      throw CleanError(problem + " (--sequences, --sequence, --layers, --recompute)")
    }
  }

  /// The model's shape and the length of a sequence, from the preset and what overrides it.
  private func shape() throws -> (ModelConfiguration, Int) {
    var model = ModelConfiguration()
    var length = 512
    if let preset {
      guard let known = Preset(rawValue: preset) else {
        let names = Preset.allCases.map(\.rawValue).joined(separator: ", ")
        throw CleanError("--preset is '\(preset)'; it must be one of \(names)")
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
    if preset == nil || width != nil || heads != nil || headWidth != nil {
      // Query heads that share a head of keys and values go on to do so.
      let sharing = preset != nil && heads == nil ? model.heads / model.keyValueHeads : 1
      model.heads = heads ?? max(1, model.width / max(1, headWidth ?? 64))
      model.keyValueHeads = max(1, model.heads / sharing)
      model.headWidth =
        headWidth ?? (model.heads > 0 ? max(2, model.width / model.heads / 2 * 2) : 0)
    }
    if let keyValueHeads { model.keyValueHeads = keyValueHeads }
    if let vocabulary { model.vocabulary = vocabulary }
    return (model, sequence ?? length)
  }
}
