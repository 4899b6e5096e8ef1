import FeedForward
import Transformer

extension RunConfiguration {
  /// One sentence for every value that cannot work; empty when all is well.
  public func problems() -> [String] {
    var found = model.problems()
    found += feedForward.problems(
      width: model.width, hiddenWidth: model.hiddenWidth, layers: model.layers)
    found += dataProblems() + optimizerProblems() + scheduleProblems() + runProblems()
    return found
  }

  private func atLeast(_ minimum: Int, _ values: [(String, Int)]) -> [String] {
    values.filter { $0.1 < minimum }.map { "\($0.0) is \($0.1); it must be at least \(minimum)" }
  }

  private func dataProblems() -> [String] {
    var found = atLeast(
      1,
      [
        ("data.sequence", data.sequence), ("data.batch", data.batch),
        ("data.microBatch", data.microBatch),
      ])
    if data.microBatch >= 1 && data.batch >= 1 && data.batch % data.microBatch != 0 {
      found.append(
        "data.microBatch is \(data.microBatch), which does not divide data.batch, \(data.batch)")
    }
    for source in data.train where !(source.weight > 0 && source.weight.isFinite) {
      found.append(
        "data.train: '\(source.path)' has the weight \(source.weight); it must be above 0")
    }
    if data.tokenizer == "bytes" && data.train.isEmpty && model.vocabulary < 257 {
      found.append(
        "model.vocabulary is \(model.vocabulary); the built-in corpus in bytes needs 257")
    }
    return found
  }

  private func optimizerProblems() -> [String] {
    var found: [String] = []
    for (name, value) in [("beta1", optimizer.beta1), ("beta2", optimizer.beta2)]
    where !(value >= 0 && value < 1) {
      found.append("optimizer.\(name) is \(value); it must be at least 0 and below 1")
    }
    if !(optimizer.epsilon > 0) {
      found.append("optimizer.epsilon is \(optimizer.epsilon); it must be above 0")
    }
    for (name, value) in [
      ("weightDecay", optimizer.weightDecay), ("gradientClip", optimizer.gradientClip),
      ("spikeThreshold", optimizer.spikeThreshold),
    ] where !(value >= 0 && value.isFinite) {
      found.append("optimizer.\(name) is \(value); it must be 0 or more")
    }
    return found
      + atLeast(2, [("optimizer.spikeWindow", optimizer.spikeWindow)])
      + atLeast(1, [("optimizer.maximumSkips", optimizer.maximumSkips)])
  }

  private func scheduleProblems() -> [String] {
    var found = atLeast(1, [("schedule.steps", schedule.steps)])
    found += atLeast(
      0, [("schedule.warmup", schedule.warmup), ("schedule.denseWarmup", schedule.denseWarmup)])
    if !(schedule.learningRate > 0 && schedule.learningRate.isFinite) {
      found.append("schedule.learningRate is \(schedule.learningRate); it must be above 0")
    }
    for (name, value) in [
      ("decayFraction", schedule.decayFraction), ("minimumRatio", schedule.minimumRatio),
      ("sparseFraction", schedule.sparseFraction),
      ("sparseWeightsFraction", schedule.sparseWeightsFraction),
    ] where !(value >= 0 && value <= 1) {
      found.append("schedule.\(name) is \(value); it must be between 0 and 1")
    }
    for phase in schedule.phases {
      if phase.steps < 1 {
        found.append("schedule.phases: a phase of \(phase.steps) steps; at least 1 is needed")
      }
      if phase.mode != .dense && feedForward.mode == .dense {
        found.append(
          "schedule.phases has a '\(phase.mode.rawValue)' phase, but feedForward.mode is dense; "
            + "set feedForward.mode to it")
      }
      if phase.mode != .dense && feedForward.mode != .dense && phase.mode != feedForward.mode {
        found.append(
          "schedule.phases has a '\(phase.mode.rawValue)' phase, but feedForward.mode is "
            + "\(feedForward.mode.rawValue); a run has one sparse mode")
      }
    }
    return found
  }

  private func runProblems() -> [String] {
    var found = atLeast(
      0,
      [
        ("run.evaluateInterval", run.evaluateInterval), ("run.seed", run.seed),
        ("run.statisticsInterval", run.statisticsInterval),
        ("run.checkpointInterval", run.checkpointInterval), ("run.keepEvery", run.keepEvery),
        ("run.sampleInterval", run.sampleInterval), ("run.sampleTokens", run.sampleTokens),
        ("device.threads", device.threads),
      ])
    found += atLeast(
      1,
      [
        ("run.logInterval", run.logInterval), ("run.evaluateSequences", run.evaluateSequences),
        ("run.keepCheckpoints", run.keepCheckpoints),
      ])
    if run.name.isEmpty || run.name.contains("/") || run.name.hasPrefix(".") {
      found.append("run.name is '\(run.name)'; it must be a folder name without '/'")
    }
    if !["auto", "bfloat16", "float32"].contains(device.precision) {
      found.append(
        "device.precision is '\(device.precision)'; it must be auto, bfloat16 or float32")
    }
    if !["auto", "float32"].contains(device.gradients) {
      found.append("device.gradients is '\(device.gradients)'; it must be auto or float32")
    }
    if !["auto", "cpu", "cuda"].contains(device.backend) {
      found.append("device.backend is '\(device.backend)'; it must be auto, cpu or cuda")
    }
    return found
  }
}
