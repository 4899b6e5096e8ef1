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
  private let configuration: RunConfiguration
  private let backend: any Backend
  private let folder: RunFolder
  private let data: RunData
  private let engine: StepEngine
  private let rate: LearningRateSchedule
  private let phases: SparsityPhases
  private let store: CheckpointStore
  private let writer: CheckpointWriter
  private let progress: ProgressLine
  private let log: MetricsLog
  private let bytesOfToken: [Int]?
  private var state: TrainingState
  private var meter = SpeedMeter()
  private var lastCheckpoint: Int?
  private var lastEvaluation: (step: Int, result: Evaluator.Result)?
  private let maximumSkips: Int

  /// Prepares a run: opens data, allocates, and loads the newest whole checkpoint when resuming.
  ///
  /// - Parameters:
  ///   - configuration: what to train on what, and how.
  ///   - backend: the machine that computes.
  ///   - folder: where the run is; made here unless resuming.
  ///   - resume: whether to go on from a checkpoint.
  ///   - version: what wrote the checkpoints, for their state files.
  ///   - progress: where progress is shown; nil shows it on standard error.
  /// - Throws: a sentence that says what is wrong and what to do.
  public init(
    _ configuration: RunConfiguration, on backend: any Backend, folder: RunFolder,
    resume: Bool, version: String, progress: ProgressLine? = nil
  ) throws {
    self.configuration = configuration
    self.backend = backend
    self.folder = folder
    data = try RunData(configuration)
    rate = LearningRateSchedule(configuration.schedule)
    phases = SparsityPhases(configuration.schedule, feedForward: configuration.feedForward)
    let shown =
      progress
      ?? ProgressLine(
        steps: configuration.schedule.steps, phases: phases,
        interval: configuration.run.logInterval)
    self.progress = shown
    let model = try TransformerModel(configuration.model, on: backend)
    engine = try StepEngine(
      model, feedForward: configuration.feedForward,
      optimizer: configuration.optimizer.settings, sequences: configuration.data.microBatch,
      sequenceLength: configuration.data.sequence)
    store = CheckpointStore(
      folder.checkpointsPath, keepLast: configuration.run.keepCheckpoints,
      keepEvery: configuration.run.keepEvery)
    writer = CheckpointWriter(store)
    maximumSkips = configuration.optimizer.maximumSkips
    bytesOfToken = data.byteCounts(vocabulary: configuration.model.vocabulary)
    state = TrainingState(
      judge: StepJudge(configuration.optimizer), seed: configuration.run.seed)

    if resume {
      try folder.takeLock()
      store.cleanUp()
      let (checkpoint, rejected) = store.latestValid()
      for sentence in rejected { shown.say(sentence) }
      if let checkpoint {
        try checkpoint.load(into: engine)
        state = checkpoint.state
        lastCheckpoint = state.step
        shown.say("resuming after step \(state.step), from '\(checkpoint.path)'")
      } else {
        shown.say("'\(folder.path)' has no checkpoint that can be used: starting from step 0")
        try model.initialize(seed: UInt64(configuration.run.seed))
      }
    } else {
      try folder.create(configuration)
      try folder.keep(data.tokenizer)
      try model.initialize(seed: UInt64(configuration.run.seed))
    }
    state.writer = "\(version), \(backend.summary)"
    log = try MetricsLog(folder, step: state.step)
  }

  /// For people: what is about to be trained on what.
  public var introduction: String {
    let model = configuration.model
    let stretches = phases.phases.map { "\($0.mode.rawValue) \($0.steps.count)" }
    return """
      model    \(engine.model.table.parameterCount) parameters: \(model.layers) layers, d \
      \(model.width), f \(model.hiddenWidth), vocabulary \(model.vocabulary)
      data     \(data.summary)
      machine  \(backend.summary)
      steps    \(configuration.schedule.steps) of \(configuration.data.batch) x \
      \(configuration.data.sequence) tokens: \(stretches.joined(separator: ", then "))
      folder   \(folder.path)
      """
  }

  /// Trains to the last step, or until a signal or too many bad steps end it.
  public func run() throws -> RunSummary {
    let producer = BatchProducer(
      data.stream, firstSample: state.nextSample, samplesPerBatch: configuration.data.batch)
    defer { producer.stop() }
    var ending = RunSummary.Ending.finished
    while state.step < configuration.schedule.steps {
      if let signal = StopSignals.stopRequested {
        ending = .stopped(signal: signal)
        break
      }
      if let failure = try step(producer.next()) {
        ending = .failed(failure)
        break
      }
      try betweenSteps()
    }
    return try finish(ending)
  }

  // MARK: One step

  /// Does one step; returns a sentence when the run must end.
  private func step(_ batch: TokenBatch) throws -> String? {
    let mode = phases.mode(step: state.step)
    let interval = configuration.run.statisticsInterval
    let measures = interval > 0 && (state.step + 1) % interval == 0
    let start = Trainer.clock()
    let feedForwardBefore = engine.pass.feedForwardSeconds
    if phases.reclusters(before: state.step) { try engine.recluster() }
    try engine.switchMode(to: mode)
    if measures { engine.pass.feedForward.collectStatistics() }
    let gradients = try engine.gradients(of: microBatches(batch))
    var judge = state.judge
    let (verdict, _, _) = judge.judge(loss: gradients.loss, norm: gradients.norm)
    let learningRate = rate.rate(step: state.step)
    if verdict == .apply { try engine.apply(gradients, learningRate: learningRate) }
    try backend.synchronize()
    let seconds = Trainer.clock() - start

    state.judge = judge
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
      step: state.step, loss: gradients.loss, norm: gradients.norm, rate: learningRate,
      tokens: state.tokens, seconds: state.seconds,
      tokensPerSecond: Double(batch.tokens.count) / max(seconds, 1e-9), mode: mode, skipped: nil)
    if case .skip(let reason) = verdict { record.skipped = reason }
    try log.write(record)
    progress.show(record, stepSeconds: seconds)
    if let statistics = engine.pass.feedForward.takeStatistics() {
      try log.write(
        statistics, clusterSizes: engine.pass.feedForward.clusterState.sizes, step: state.step)
    }
    if judge.skippedInRow >= maximumSkips {
      return "\(judge.skippedInRow) steps in a row could not be applied, the last because "
        + "\(record.skipped ?? ""); lower schedule.learningRate or raise schedule.warmup, and "
        + "resume from the last checkpoint"
    }
    return nil
  }

  private func microBatches(_ batch: TokenBatch) -> [StepEngine.MicroBatch] {
    let size = configuration.data.microBatch * configuration.data.sequence
    return stride(from: 0, to: batch.tokens.count, by: size).map { start in
      StepEngine.MicroBatch(
        tokens: Array(batch.tokens[start..<start + size]),
        targets: Array(batch.targets[start..<start + size]))
    }
  }

  // MARK: Between steps

  private func betweenSteps() throws {
    let run = configuration.run
    func isDue(_ interval: Int) -> Bool { interval > 0 && state.step % interval == 0 }
    let isLast = state.step == configuration.schedule.steps
    if isDue(run.evaluateInterval) && !isLast { try evaluate() }
    if isDue(run.sampleInterval) && !isLast, let text = try sample() {
      progress.say("sample after step \(state.step): \(run.samplePrompt)\(text)")
    }
    if (isDue(run.checkpointInterval) && !isLast) || StopSignals.takeSaveRequest() {
      try checkpoint()
    }
  }

  private func evaluate() throws {
    let windows = min(configuration.run.evaluateSequences, data.validation.windowCount)
    let evaluator = Evaluator(
      engine.model, sequences: configuration.data.microBatch,
      sequenceLength: configuration.data.sequence)
    let bytes = bytesOfToken
    let result = try evaluator.evaluate(
      windows: windows, window: { data.validation.window($0) },
      bytes: bytes.map { counts in { counts[Int($0)] } })
    lastEvaluation = (state.step, result)
    try log.write(
      EvaluationRecord(
        step: state.step, tokens: state.tokens, seconds: state.seconds, result: result))
    var text = "step \(state.step): held-out loss \(ProgressLine.decimals(result.loss, 4))"
    if let bits = result.bitsPerByte {
      text += ", \(ProgressLine.decimals(bits, 4)) bits per byte"
    }
    progress.say(text)
  }

  private func sample() throws -> String? {
    guard let tokenizer = data.tokenizer, configuration.run.sampleTokens > 0 else { return nil }
    return try TextGenerator(engine.model, tokenizer: tokenizer).text(
      after: configuration.run.samplePrompt, count: configuration.run.sampleTokens,
      capacity: configuration.data.sequence,
      sampler: TokenSampler(temperature: 0.7, topP: 0.9, seed: UInt64(state.step)))
  }

  private func checkpoint() throws {
    try log.sync()
    do {
      try writer.write(
        CheckpointSnapshot(engine, state: state, configuration: configuration))
      lastCheckpoint = state.step
    } catch let error as TrainingError {
      // The state itself cannot be saved; earlier checkpoints stay, and the run may recover.
      progress.say("no checkpoint after step \(state.step): \(error)")
    }
  }

  private func finish(_ ending: RunSummary.Ending) throws -> RunSummary {
    var text: String?
    if case .failed = ending {
      // What led here is not worth keeping: the last good checkpoint is.
    } else if lastCheckpoint != state.step {
      try checkpoint()
    }
    if ending == .finished {
      if lastEvaluation?.step != state.step { try evaluate() }
      text = try sample()
    }
    try writer.finish()
    try log.sync()
    return RunSummary(
      ending: ending, step: state.step, tokens: state.tokens, dense: meter.speed(isDense: true),
      sparse: meter.speed(isDense: false), evaluation: lastEvaluation?.result, sample: text,
      prompt: configuration.run.samplePrompt, folder: folder.path, skipped: state.judge.skipped)
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
