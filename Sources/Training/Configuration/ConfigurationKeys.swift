import FeedForward
import Transformer

extension RunConfiguration {
  /// Every setting there is, in the order of the file.
  public static let keys: [ConfigurationKey] =
    modelKeys + feedForwardKeys + dataKeys + optimizerKeys + scheduleKeys + runKeys + deviceKeys

  private static let modelKeys: [ConfigurationKey] = [
    .integer("model", "width", \.model.width, "d: width of the residual stream"),
    .integer("model", "hiddenWidth", \.model.hiddenWidth, "f: neurons of a feed-forward network"),
    .integer("model", "layers", \.model.layers, "number of blocks"),
    .integer("model", "heads", \.model.heads, "query heads"),
    .integer("model", "keyValueHeads", \.model.keyValueHeads, "key and value heads; divides heads"),
    .integer("model", "headWidth", \.model.headWidth, "width of a head; need not be width / heads"),
    .integer("model", "vocabulary", \.model.vocabulary, "token ids are below this"),
    .number("model", "ropeTheta", \.model.ropeTheta, "base of the rotary frequencies"),
    .number("model", "normEpsilon", \.model.normEpsilon, "added to the mean square in RMSNorm"),
    .flag("model", "tiedEmbeddings", \.model.tiedEmbeddings, "output projection is the embedding"),
    .number("model", "initializerRange", \.model.initializerRange, "deviation of initial weights"),
  ]

  private static let feedForwardKeys: [ConfigurationKey] = [
    .choice("feedForward", "mode", \.feedForward.mode, "what sparse steps do; dense for none"),
    .integer("feedForward", "blockTokens", \.feedForward.blockTokens, "V: tokens of a block"),
    .number("feedForward", "density", \.feedForward.density, "share of neurons columns keeps"),
    .choice(
      "feedForward", "profile", \.feedForward.profile,
      "density by depth; rising: 8 times in the first layer, then 1/4, 1, 2; ends: 4, 1/2, 2, 4"),
    .init(
      section: "feedForward", name: "densities",
      help: "a density per layer; empty for density and profile",
      kind: .numbers, get: { .list($0.feedForward.densities.map { .number($0) }) },
      set: { $0.feedForward.densities = try numbers($1) }),
    .number(
      "feedForward", "denseAbove", \.feedForward.denseAbove,
      "a layer of higher density computes densely"),
    .integer(
      "feedForward", "keptMultiple", \.feedForward.keptMultiple, "kept neurons are rounded up to"),
    .choice("feedForward", "selection", \.feedForward.selection, "how columns finds its neurons"),
    .choice(
      "feedForward", "chooseBy", \.feedForward.chooseBy,
      "what columns adds up over a block: activations or their squares"),
    .flag(
      "feedForward", "eightBitChoice", \.feedForward.eightBitChoice,
      "columns, exact or sampled, may be chosen by 8-bit products"),
    .integer("feedForward", "samples", \.feedForward.samples, "s: tokens a block is judged by"),
    .number(
      "feedForward", "neighbourWeight", \.feedForward.neighbourWeight,
      "weight of the neighbouring blocks' samples; 0 to 1"),
    .number(
      "feedForward", "memoryRate", \.feedForward.memoryRate,
      "how fast what is remembered of a cluster's samples follows them; 0 remembers nothing"),
    .integer("feedForward", "clusters", \.feedForward.clusters, "C: clusters for routing; 0 none"),
    .integer(
      "feedForward", "centroidInterval", \.feedForward.centroidInterval,
      "sparse steps between moves of the router's centroids to its tokens; 0 never"),
    .integer(
      "feedForward", "layersPerOrder", \.feedForward.layersPerOrder,
      "sparse layers that take tokens in one order; the first routes"),
    .integer(
      "feedForward", "reclusterInterval", \.feedForward.reclusterInterval,
      "sparse steps between re-clusterings; 0 once"),
    .init(
      section: "feedForward", name: "sparseWeights",
      help: "2:4 weights in sparse steps; auto is up for paper, none for columns",
      kind: .choice(["auto"] + SparseWeights.allCases.map(\.rawValue)),
      get: { .text($0.feedForward.sparseWeights?.rawValue ?? "auto") },
      set: { configuration, value in
        guard case .text(let text) = value else { throw ConfigurationKey.WrongKind() }
        if text == "auto" {
          configuration.feedForward.sparseWeights = nil
        } else if let which = SparseWeights(rawValue: text) {
          configuration.feedForward.sparseWeights = which
        } else {
          throw ConfigurationKey.WrongKind()
        }
      }),
    .integer("feedForward", "venomN", \.feedForward.venomN, "N of V:N:M: values kept of four"),
    .integer("feedForward", "venomM", \.feedForward.venomM, "M of V:N:M: neurons of a group"),
    .choice(
      "feedForward", "weightGradientPattern", \.feedForward.weightGradientPattern,
      "products 4 and 6 in paper mode: exact, or a V:N:M of their own"),
  ]

  private static let dataKeys: [ConfigurationKey] = [
    .init(
      section: "data", name: "train", help: "shards or folders; empty for the built-in corpus",
      kind: .sources, get: { .list($0.data.train.map(\.value)) },
      set: { $0.data.train = try sources($1) }),
    .text("data", "validation", \.data.validation, "shards to evaluate on; empty: *val* of train"),
    .text("data", "tokenizer", \.data.tokenizer, "bytes, or a tokenizer.json"),
    .integer("data", "sequence", \.data.sequence, "tokens of a sequence"),
    .integer("data", "batch", \.data.batch, "sequences of an optimizer step"),
    .integer("data", "microBatch", \.data.microBatch, "sequences of a forward pass; divides batch"),
  ]

  private static let optimizerKeys: [ConfigurationKey] = [
    .number("optimizer", "beta1", \.optimizer.beta1, "decay of the first moment"),
    .number("optimizer", "beta2", \.optimizer.beta2, "decay of the second moment"),
    .number("optimizer", "epsilon", \.optimizer.epsilon, "added to the root of the second moment"),
    .number("optimizer", "weightDecay", \.optimizer.weightDecay, "decay of matrices"),
    .number("optimizer", "gradientClip", \.optimizer.gradientClip, "largest global norm; 0: any"),
    .number(
      "optimizer", "spikeThreshold", \.optimizer.spikeThreshold,
      "skip steps this many deviations above the mean; 0 only logs"),
    .integer("optimizer", "spikeWindow", \.optimizer.spikeWindow, "steps the mean is taken over"),
    .integer(
      "optimizer", "maximumSkips", \.optimizer.maximumSkips, "skips in a row that end a run"),
  ]

  private static let scheduleKeys: [ConfigurationKey] = [
    .integer("schedule", "steps", \.schedule.steps, "optimizer steps of the run"),
    .choice("schedule", "shape", \.schedule.shape, "course of the learning rate"),
    .number("schedule", "learningRate", \.schedule.learningRate, "highest learning rate"),
    .integer("schedule", "warmup", \.schedule.warmup, "steps over which it rises"),
    .number(
      "schedule", "decayFraction", \.schedule.decayFraction, "share of the run wsd decays in"),
    .number("schedule", "minimumRatio", \.schedule.minimumRatio, "last over highest rate"),
    .integer("schedule", "denseWarmup", \.schedule.denseWarmup, "dense steps before sparse ones"),
    .number("schedule", "sparseFraction", \.schedule.sparseFraction, "share of steps sparse"),
    .number(
      "schedule", "sparseWeightsFraction", \.schedule.sparseWeightsFraction,
      "share of the sparse steps, from the first, with 2:4 weights"),
    .init(
      section: "schedule", name: "phases",
      help: "phases one after the other, in place of denseWarmup and sparseFraction",
      kind: .phases, get: { .list($0.schedule.phases.map(\.value)) },
      set: { $0.schedule.phases = try phases($1) }),
  ]

  private static let runKeys: [ConfigurationKey] = [
    .text("run", "name", \.run.name, "name of the run"),
    .text("run", "folder", \.run.folder, "where run folders are"),
    .integer("run", "seed", \.run.seed, "seed of weights and data order"),
    .integer("run", "logInterval", \.run.logInterval, "steps between plain progress lines"),
    .integer("run", "evaluateInterval", \.run.evaluateInterval, "steps between evaluations"),
    .integer("run", "evaluateSequences", \.run.evaluateSequences, "sequences of an evaluation"),
    .integer("run", "statisticsInterval", \.run.statisticsInterval, "steps between statistics"),
    .integer("run", "checkpointInterval", \.run.checkpointInterval, "steps between checkpoints"),
    .integer("run", "keepCheckpoints", \.run.keepCheckpoints, "newest checkpoints kept"),
    .integer("run", "keepEvery", \.run.keepEvery, "every so many steps one is kept for good"),
    .integer("run", "sampleInterval", \.run.sampleInterval, "steps between text samples"),
    .text("run", "samplePrompt", \.run.samplePrompt, "what text samples continue"),
    .integer("run", "sampleTokens", \.run.sampleTokens, "tokens of a text sample"),
  ]

  private static let deviceKeys: [ConfigurationKey] = [
    .text("device", "backend", \.device.backend, "auto, cpu or cuda"),
    .text(
      "device", "precision", \.device.precision, "storage on the GPU: auto, bfloat16, float32"),
    .text(
      "device", "gradients", \.device.gradients,
      "of matrices: auto (as precision, where nothing is added to them) or float32"),
    .integer("device", "threads", \.device.threads, "CPU threads; 0 for every core"),
    .text("device", "blas", \.device.blas, "matrix library on the CPU; empty for the best"),
    .flag(
      "device", "reproducible", \.device.reproducible,
      "the same bits in every run on a GPU; false is faster"),
    .choice(
      "device", "recompute", \.device.recompute,
      "layer keeps only every layer's input: less memory, more work"),
  ]

  // MARK: Lists

  private static func numbers(_ value: ConfigurationValue) throws -> [Double] {
    guard case .list(let items) = value else { throw ConfigurationKey.WrongKind() }
    return try items.map {
      switch $0 {
      case .integer(let whole): Double(whole)
      case .number(let number): number
      default: throw ConfigurationKey.WrongKind()
      }
    }
  }

  private static func sources(_ value: ConfigurationValue) throws -> [DataConfiguration.Source] {
    switch value {
    case .text(let path): return path.isEmpty ? [] : [DataConfiguration.Source(path: path)]
    case .list(let items): return try items.map(source)
    default: throw ConfigurationKey.WrongKind()
    }
  }

  private static func source(_ value: ConfigurationValue) throws -> DataConfiguration.Source {
    if case .text(let path) = value { return DataConfiguration.Source(path: path) }
    guard case .table(let members) = value, case .text(let path)? = members["path"],
      Set(members.keys).isSubset(of: ["path", "weight"])
    else { throw ConfigurationKey.WrongKind() }
    switch members["weight"] {
    case nil: return DataConfiguration.Source(path: path)
    case .integer(let whole)?: return DataConfiguration.Source(path: path, weight: Double(whole))
    case .number(let number)?: return DataConfiguration.Source(path: path, weight: number)
    default: throw ConfigurationKey.WrongKind()
    }
  }

  private static func phases(
    _ value: ConfigurationValue
  ) throws -> [ScheduleConfiguration.Phase] {
    guard case .list(let items) = value else { throw ConfigurationKey.WrongKind() }
    return try items.map { item in
      guard case .table(let members) = item, case .text(let name)? = members["mode"],
        let mode = FeedForwardMode(rawValue: name), case .integer(let steps)? = members["steps"],
        members.count == 2
      else { throw ConfigurationKey.WrongKind() }
      return ScheduleConfiguration.Phase(mode: mode, steps: steps)
    }
  }
}

extension DataConfiguration.Source {
  fileprivate var value: ConfigurationValue {
    .table(["path": .text(path), "weight": .number(weight)])
  }
}

extension ScheduleConfiguration.Phase {
  fileprivate var value: ConfigurationValue {
    .table(["mode": .text(mode.rawValue), "steps": .integer(steps)])
  }
}
