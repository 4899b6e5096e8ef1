public import Compute
import Corpus
import FeedForward
import Foundation
import Transformer

/// Runs a configuration from its first step, or a checkpoint, to its last: the loop over time.
///
/// Synchronous, on the thread that owns the backend. Batches are read ahead on one other thread,
/// checkpoints written from copies on another.
public final class Trainer {
  /// Where a run begins.
  public enum Start: Sendable {
    /// At step 0, in a folder that holds no run.
    case new
    /// At step 0; a run that is there is deleted once everything else is known to work.
    case overwriting
    /// At the newest checkpoint that is whole.
    case resuming
  }

  let configuration: RunConfiguration
  let backend: any Backend
  let folder: RunFolder
  let data: RunData
  /// The model and its optimizer.
  package let engine: StepEngine
  let rate: LearningRateSchedule
  let phases: SparsityPhases
  package let writer: CheckpointWriter
  let progress: ProgressLine
  let requests: StopRequests
  let log: MetricsLog
  let bytesOfToken: [Int]?
  var state: TrainingState
  var meter = SpeedMeter()
  /// When the last step ended, where the machine still works on its update: the next begins then.
  var lastEnd: Double?
  var lastEvaluation: EvaluationRecord?
  /// Why the present state could not be saved, if so.
  var unsaved: String?

  /// Prepares a run: opens data, allocates, and loads the newest whole checkpoint when resuming.
  ///
  /// - Parameters:
  ///   - configuration: what to train on what, and how.
  ///   - backend: the machine that computes.
  ///   - folder: where the run is; made here unless resuming.
  ///   - start: whether to go on from a checkpoint.
  ///   - version: what wrote the checkpoints, for their state files.
  ///   - progress: where progress is shown; nil shows it on standard error.
  ///   - requests: who may ask to save or stop.
  /// - Throws: a sentence that says what is wrong and what to do.
  public init(
    _ configuration: RunConfiguration, on backend: any Backend, folder: RunFolder,
    start: Start, version: String, progress: ProgressLine? = nil,
    requests: StopRequests = .signals
  ) throws {
    self.configuration = configuration
    self.backend = backend
    self.folder = folder
    self.requests = requests
    rate = LearningRateSchedule(configuration.schedule)
    phases = SparsityPhases(configuration.schedule, feedForward: configuration.feedForward)
    let shown =
      progress
      ?? ProgressLine(
        steps: configuration.schedule.steps, phases: phases,
        interval: configuration.run.logInterval)
    self.progress = shown
    let store = CheckpointStore(
      folder.checkpointsPath, keepLast: configuration.run.keepCheckpoints,
      keepEvery: configuration.run.keepEvery)
    let checkpoint =
      start == .resuming
      ? try Trainer.checkpoint(to: configuration, folder, store, say: shown.say) : nil
    data = try RunData(configuration)
    if let meter = backend as? any MemoryMeter,
      let problem = try MemoryForecast(configuration, on: meter).problem
    {
      throw TrainingError(problem)
    }
    bytesOfToken = data.byteCounts(vocabulary: configuration.model.vocabulary)
    let model = try TransformerModel(configuration.model, on: backend)
    engine = try StepEngine(
      model, feedForward: configuration.feedForward,
      optimizer: configuration.optimizer.settings, sequences: configuration.data.microBatch,
      sequenceLength: configuration.data.sequence,
      recomputation: configuration.device.recompute,
      narrowGradients: configuration.device.gradients == "auto")
    if let checkpoint {
      try checkpoint.load(into: engine)
      state = checkpoint.state
      state.judge.adopt(configuration.optimizer)
    } else {
      try model.initialize(seed: UInt64(configuration.run.seed))
      state = TrainingState(
        judge: StepJudge(configuration.optimizer), seed: configuration.run.seed)
    }
    state.writer = "\(version), \(backend.summary)"
    if start == .resuming {
      try folder.goOn(with: configuration)
    } else {
      try folder.create(configuration, overwriting: start == .overwriting)
      try folder.keep(data.tokenizer)
    }
    writer = CheckpointWriter(store, savedStep: checkpoint?.state.step)
    log = try MetricsLog(folder, step: state.step, warn: shown.say)
    lastEvaluation = log.lastEvaluation
  }

  /// The checkpoint that a configuration goes on from; nil when there is none yet.
  private static func checkpoint(
    to configuration: RunConfiguration, _ folder: RunFolder, _ store: CheckpointStore,
    say: (String) -> Void
  ) throws -> StoredCheckpoint? {
    try folder.takeLock()
    folder.removeLeftovers()
    store.cleanUp()
    let (checkpoint, rejected) = store.latestValid()
    for sentence in rejected { say(sentence) }
    guard let checkpoint else {
      say("'\(folder.path)' has no checkpoint that can be used: starting from step 0")
      return nil
    }
    for change in try ResumeRules.changes(
      from: checkpoint.configuration(), to: configuration,
      hasClusters: checkpoint.state.hasClusters)
    {
      say(change)
    }
    say("resuming after step \(checkpoint.state.step), from '\(checkpoint.path)'")
    return checkpoint
  }

  /// For people: what is about to be trained on what.
  public var introduction: String {
    let model = configuration.model
    let stretches = phases.phases.map { "\($0.mode.rawValue) \($0.steps.count)" }
    return """
      model    \(ProgressLine.grouped(engine.model.table.parameterCount)) parameters: \
      \(model.layers) layers, d \(model.width), f \(model.hiddenWidth), vocabulary \
      \(model.vocabulary)
      data     \(data.summary)
      machine  \(backend.summary)
      steps    \(configuration.schedule.steps) of \(configuration.data.batch) x \
      \(configuration.data.sequence) tokens: \(stretches.joined(separator: ", then "))
      folder   \(folder.path)
      """ + (phases.warning.map { "\n\($0)" } ?? "")
  }

  /// Trains to the last step, or until a signal or too many bad steps end it.
  ///
  /// - Throws: when the machine fails, after what can still be saved was: the sentence names the
  ///   newest checkpoint and how to go on from it.
  public func run() throws -> RunSummary {
    do {
      return try loop()
    } catch let error as ComputeError {
      throw TrainingError(machineFailed(error))
    }
  }

  private func loop() throws -> RunSummary {
    let producer = BatchProducer(
      data.stream, firstSample: state.nextSample, samplesPerBatch: configuration.data.batch)
    defer { producer.stop() }
    // An evaluation that a signal cut off is made up for.
    if state.step > 0 && requests.stop() == nil { try evaluateIfDue() }
    while state.step < configuration.schedule.steps {
      if let signal = requests.stop() { return try finish(.stopped(signal: signal)) }
      switch try step(producer.next()) {
      case .done: try betweenSteps()
      case .abandoned: continue
      case .failed(let sentence): return try finish(.failed(sentence))
      }
    }
    return try finish(.finished)
  }

  // MARK: One step

  /// How a step ended.
  private enum StepEnding {
    case done
    /// A signal came in the middle; everything is as it was after the step before.
    case abandoned
    /// The run must end; the sentence says why.
    case failed(String)
  }

  private func step(_ batch: TokenBatch) throws -> StepEnding {
    let mode = phases.mode(step: state.step)
    let measures = measures(step: state.step)
    let start = lastEnd ?? Trainer.clock()
    let feedForwardBefore = engine.pass.feedForwardSeconds
    if phases.reclusters(before: state.step) && state.reclusteredBefore != state.step {
      try engine.recluster()
      state.reclusteredBefore = state.step
    }
    try engine.switchMode(
      to: mode, sparseWeights: phases.usesSparseWeights(step: state.step))
    if measures { engine.pass.feedForward.collectStatistics() }
    if phases.movesCentroids(step: state.step) { engine.pass.feedForward.findCentroidMoves() }
    guard
      let gradients = try engine.gradients(
        of: microBatches(batch), while: { requests.stop() == nil })
    else { return .abandoned }
    let judgement = state.judge.judge(loss: gradients.loss, norm: gradients.norm)
    let learningRate = rate.rate(step: state.step)
    if judgement.verdict == .apply {
      try engine.apply(gradients, learningRate: learningRate)
    } else {
      engine.skip()
    }
    // Else the machine updates while the next batch is made ready, and its time is the next step's.
    let flowsOn = flowsOn(after: state.step)
    if !flowsOn { try backend.synchronize() }
    let end = Trainer.clock()
    let seconds = end - start
    lastEnd = flowsOn ? end : nil

    state.step += 1
    state.nextSample += configuration.data.batch
    state.tokens += batch.tokens.count
    state.seconds += seconds
    if !measures {
      meter.add(
        mode: mode, tokens: batch.tokens.count, seconds: seconds,
        feedForwardSeconds: engine.pass.feedForwardSeconds - feedForwardBefore)
    }
    var record = StepRecord(
      step: state.step, loss: gradients.loss, norm: gradients.norm,
      spikeScore: [judgement.lossScore, judgement.normScore].compactMap { $0 }.max(),
      rate: learningRate, tokens: state.tokens, seconds: state.seconds,
      tokensPerSecond: Double(batch.tokens.count) / max(seconds, 1e-9), mode: mode, skipped: nil)
    if case .skip(let reason) = judgement.verdict { record.skipped = reason }
    log.write(record)
    progress.show(record, stepSeconds: seconds)
    if let statistics = engine.pass.feedForward.takeStatistics() {
      // Of neurons: where centroids have moved since, they say nothing of what tokens are routed by.
      let sizes = engine.pass.feedForward.clusterState.sizes
      log.write(
        statistics, clusterSizes: configuration.feedForward.movesCentroids ? [] : sizes,
        step: state.step)
    }
    return tooManySkips(record.skipped).map { .failed($0) } ?? .done
  }

  private func measures(step: Int) -> Bool {
    let interval = configuration.run.statisticsInterval
    return interval > 0 && (step + 1) % interval == 0
  }

  /// Whether the next step is of the same kind and nothing else is due before it.
  private func flowsOn(after step: Int) -> Bool {
    let run = configuration.run
    return step + 1 < configuration.schedule.steps
      && phases.mode(step: step + 1) == phases.mode(step: step)
      && !measures(step: step)
      && ![run.evaluateInterval, run.sampleInterval, run.checkpointInterval].contains {
        $0 > 0 && (step + 1) % $0 == 0
      }
  }

  private func tooManySkips(_ reason: String?) -> String? {
    let skips = state.judge.skippedInRow
    guard let reason, skips >= configuration.optimizer.maximumSkips else { return nil }
    return "\(skips) steps in a row could not be applied, the last because \(reason); lower "
      + "schedule.learningRate or raise schedule.warmup, and resume from the last checkpoint"
  }

  private func microBatches(_ batch: TokenBatch) -> [StepEngine.MicroBatch] {
    let size = configuration.data.microBatch * configuration.data.sequence
    return stride(from: 0, to: batch.tokens.count, by: size).map { start in
      StepEngine.MicroBatch(
        tokens: Array(batch.tokens[start..<start + size]),
        targets: Array(batch.targets[start..<start + size]))
    }
  }

  private static func clock() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

extension OptimizerConfiguration {
  /// The constants of the update.
  public var settings: Optimizer.Settings {
    var settings = Optimizer.Settings()
    settings.beta1 = Float(beta1)
    settings.beta2 = Float(beta2)
    settings.epsilon = Float(epsilon)
    settings.weightDecay = Float(weightDecay)
    settings.gradientClip = Float(gradientClip)
    return settings
  }
}
