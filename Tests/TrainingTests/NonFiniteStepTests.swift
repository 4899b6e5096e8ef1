import Compute
import FeedForward
import Foundation
import Testing
import Training
import Transformer

/// A loss or gradient that is not finite never reaches the optimizer.
@Suite struct NonFiniteStepTests {
  /// Bits of parameters and both moments.
  private func bits(_ engine: StepEngine) throws -> [[UInt32]] {
    try [
      engine.model.parameters, engine.optimizer.firstMoment, engine.optimizer.secondMoment,
    ].map { arena in
      let values: [Float] = try engine.model.backend.read(arena.all)
      return values.map(\.bitPattern)
    }
  }

  /// Trains; before the steps of `bad`, one weight becomes `value`, and after the last of them
  /// what it was. Returns the bits around the bad steps.
  private func train(
    _ run: TinyRun, value: Float, bad: ClosedRange<Int>
  ) throws -> (summary: RunSummary, before: [[UInt32]], after: [[UInt32]]) {
    let trainer = try run.prepare()
    let engine = trainer.engine
    let weight = engine.model.parameters[.finalNorm].columns(3..<4)
    var before: [[UInt32]] = []
    var after: [[UInt32]] = []
    var saved: [Float] = []
    run.whenShown = { text in
      if text.hasPrefix("step \(bad.lowerBound - 1)/") {
        saved = try engine.model.backend.read(weight)
        try engine.model.backend.write([value], to: weight)
        before = try bits(engine)
      }
      if text.hasPrefix("step \(bad.upperBound)/") {
        after = try bits(engine)
        try engine.model.backend.write(saved, to: weight)
      }
    }
    return (try trainer.run(), before, after)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func stepsAreSkippedAndNothingChanges(value: Float) throws {
    // Neurons are not re-clustered in these steps: that moves weights without changing them.
    let run = try TinyRun { $0.run.checkpointInterval = 100 }
    let (summary, before, after) = try train(run, value: value, bad: 7...8)
    #expect(summary.ending == .finished)
    #expect(summary.skipped == 2)
    #expect(!before.isEmpty && before == after)
    let lines = try run.metrics().compactMap {
      try JSONSerialization.jsonObject(with: $0) as? [String: Any]
    }.filter { $0["kind"] as? String == "step" }
    #expect(lines.map { $0["skipped"] as? Bool } == (1...12).map { (7...8).contains($0) })
    #expect((lines[6]["reason"] as? String)?.hasPrefix("the loss is") == true)
    #expect(lines[6]["loss"] is String)
    #expect(run.shown.contains { $0.hasPrefix("step 7 is skipped: the loss is") })
  }

  @Test func tooManyInARowEndTheRunAndTheGoodCheckpointStays() throws {
    let run = try TinyRun { configuration in
      configuration.optimizer.maximumSkips = 3
      configuration.run.checkpointInterval = 1
    }
    let (summary, _, _) = try train(run, value: .nan, bad: 6...12)
    #expect(
      summary.ending
        == .failed(
          "3 steps in a row could not be applied, the last because the loss is nan; lower "
            + "schedule.learningRate or raise schedule.warmup, and resume from the last "
            + "checkpoint"))
    #expect(summary.step == 8)
    // The weight went bad before the checkpoint of step 5: that one and the next were due, and said.
    #expect(run.store.steps().last == 4)
    #expect(
      run.shown.contains(
        "WARNING: no checkpoint of step 5: 'final_norm' holds a number that is not finite, and "
          + "such a state is never saved\n"))
    run.close()
    #expect(try run.train(.resuming).ending == .finished)
  }

  @Test func aGradientThatIsNotFiniteIsNeverApplied() throws {
    let run = try TinyRun()
    let engine = try run.prepare().engine
    try engine.switchMode(to: .dense)
    let batch = StepEngine.MicroBatch(
      tokens: (0..<32).map { Int32($0) }, targets: (1...32).map { Int32($0) })
    let good = try engine.gradients(of: [batch, batch])
    #expect(good.isFinite)
    for value in [Float.nan, .infinity] {
      try engine.model.backend.write([value], to: engine.pass.gradients.all.columns(17..<18))
      let norm = try engine.optimizer.gradientNorm(engine.pass.gradients)
      #expect(!StepEngine.Gradients(loss: good.loss, norm: norm).isFinite)
      var judge = StepJudge(run.configuration.optimizer)
      let judged = judge.judge(loss: good.loss, norm: norm)
      #expect(judged.verdict == .skip("the gradient norm is \(norm)"))
      #expect(judge.skipped == 1 && judge.skippedInRow == 1)
    }
  }

  @Test func aStateThatIsNotFiniteIsNotSaved() throws {
    let run = try TinyRun()
    let trainer = try run.prepare()
    let engine = trainer.engine
    let state = TrainingState(judge: StepJudge(run.configuration.optimizer), seed: 1)
    for arena in [
      engine.model.parameters, engine.optimizer.firstMoment, engine.optimizer.secondMoment,
    ] {
      let last = arena.view(arena.table.entries[2]).columns(1..<2).rows(0..<1)
      try engine.model.backend.write([-Float.infinity], to: last)
      #expect(throws: TrainingError.self) {
        try CheckpointSnapshot(engine, state: state, configuration: run.configuration)
      }
      try engine.model.backend.write([Float(0)], to: last)
    }
    _ = try CheckpointSnapshot(engine, state: state, configuration: run.configuration)
  }
}
