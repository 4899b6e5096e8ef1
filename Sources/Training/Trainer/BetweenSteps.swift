import Compute
import Corpus
import FeedForward
import Transformer

/// What a trainer does when it is not in the middle of a step: evaluations, samples, checkpoints,
/// and the end of a run.
extension Trainer {
  /// Everything that is due after a step. A stop request cuts evaluations and samples short; the
  /// loop saves and ends then.
  func betweenSteps() throws {
    reportFailedCheckpoints()
    try evaluateIfDue()
    let isLast = state.step == configuration.schedule.steps
    if isDue(configuration.run.sampleInterval) && !isLast, let text = try sample() {
      progress.say("sample after step \(state.step): \(configuration.run.samplePrompt)\(text)")
    }
    let isAsked = requests.takeSave()
    if isAsked {
      progress.say("saving after step \(state.step), as asked by a signal")
      lastEnd = nil
    }
    if isAsked || (isDue(configuration.run.checkpointInterval) && !isLast) { try checkpoint() }
  }

  private func isDue(_ interval: Int) -> Bool { interval > 0 && state.step % interval == 0 }

  /// The last step is evaluated by `finish`.
  func evaluateIfDue() throws {
    guard isDue(configuration.run.evaluateInterval),
      state.step < configuration.schedule.steps, lastEvaluation?.step != state.step
    else { return }
    try evaluate()
  }

  /// A dense evaluation; when a signal cuts it off, there is none.
  private func evaluate() throws {
    let windows = min(configuration.run.evaluateSequences, data.validation.windowCount)
    let evaluator = Evaluator(
      engine.model, sequences: configuration.data.microBatch,
      sequenceLength: configuration.data.sequence)
    let bytes = bytesOfToken
    var isStopped = false
    let result = try evaluator.evaluate(
      windows: windows, window: { data.validation.window($0) },
      bytes: bytes.map { counts in { counts[Int($0)] } },
      proceed: {
        isStopped = requests.stop() != nil
        return !isStopped
      })
    guard !isStopped else { return }
    let record = EvaluationRecord(
      step: state.step, tokens: state.tokens, seconds: state.seconds, result: result)
    lastEvaluation = record
    log.write(record)
    var text = "step \(state.step): held-out loss \(ProgressLine.decimals(result.loss, 4))"
    if let bits = result.bitsPerByte {
      text += ", \(ProgressLine.decimals(bits, 4)) bits per byte"
    }
    progress.say(text)
  }

  /// A text sample; nil when there is nothing to sample with, or a signal came.
  private func sample() throws -> String? {
    guard let tokenizer = data.tokenizer, configuration.run.sampleTokens > 0 else { return nil }
    var isStopped = false
    do {
      let text = try TextGenerator(engine.model, tokenizer: tokenizer).text(
        after: configuration.run.samplePrompt, count: configuration.run.sampleTokens,
        capacity: configuration.data.sequence,
        sampler: TokenSampler(temperature: 0.7, topP: 0.9, seed: UInt64(state.step)),
        proceed: {
          isStopped = requests.stop() != nil
          return !isStopped
        })
      return isStopped ? nil : text
    } catch let error as TrainingError {
      // No reason to end a run, whose checkpoints are there.
      progress.say("step \(state.step): no sample: \(error)")
      return nil
    }
  }

  // MARK: Checkpoints

  /// Copies the state and starts to write it.
  private func checkpoint() throws {
    log.sync()
    do {
      writer.write(try CheckpointSnapshot(engine, state: state, configuration: configuration))
    } catch let error as TrainingError {
      // The state itself cannot be saved; earlier checkpoints stay, and the run may recover.
      report(step: state.step, reason: error.description)
    }
  }

  private func reportFailedCheckpoints() {
    for failure in writer.takeFailures() { report(step: failure.step, reason: failure.reason) }
  }

  private func report(step: Int, reason: String) {
    if step == state.step { unsaved = reason }
    progress.say("WARNING: no checkpoint of step \(step): \(reason)")
  }

  /// Saves the present state and waits until it is on disk; `unsaved` says why it is not.
  private func saveNow() throws {
    writer.finish()
    reportFailedCheckpoints()
    guard writer.savedStep != state.step else { return }
    unsaved = nil
    try checkpoint()
    writer.finish()
    reportFailedCheckpoints()
  }

  // MARK: The end

  /// What a machine's failure means for a run. The state on the machine is lost; a checkpoint whose
  /// copy was taken before is still written.
  func machineFailed(_ error: ComputeError) -> String {
    writer.finish()
    reportFailedCheckpoints()
    log.sync()
    progress.end()
    let next =
      writer.savedStep.map {
        "the newest checkpoint is of step \($0); go on from it with "
          + RunSummary.resumeCommand(folder: folder.path)
      } ?? "there is no checkpoint yet"
    return "after step \(state.step): \(error); \(next)"
  }

  func finish(_ ending: RunSummary.Ending) throws -> RunSummary {
    var ending = ending
    var text: String?
    if case .failed = ending {
      // What led here is not worth keeping: the last good checkpoint is.
      unsaved = nil
      writer.finish()
      reportFailedCheckpoints()
    } else {
      try saveNow()
    }
    if ending == .finished {
      if lastEvaluation?.step != state.step { try evaluate() }
      text = try sample()
      if let signal = requests.stop() { ending = .stopped(signal: signal) }
    }
    let metricsProblem = log.sync()
    progress.end()
    return RunSummary(
      ending: ending, step: state.step, tokens: state.tokens, dense: meter.speed(isDense: true),
      sparse: meter.speed(isDense: false), memory: try PeakMemory(backend),
      evaluation: lastEvaluation.map { .init(step: $0.step, result: $0.result) }, sample: text,
      prompt: configuration.run.samplePrompt, folder: folder.path, skipped: state.judge.skipped,
      savedStep: writer.savedStep, unsaved: unsaved, metricsProblem: metricsProblem)
  }
}
