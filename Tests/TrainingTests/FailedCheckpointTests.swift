import Foundation
import Testing
import Training

/// A checkpoint that cannot be written: said loudly, tried again, and the run goes on.
@Suite struct FailedCheckpointTests {
  /// Hides the folder of checkpoints from the end of one step to the end of another, as a disk that
  /// goes away would.
  private func train(_ run: TinyRun, hidden: ClosedRange<Int>) throws -> RunSummary {
    let path = run.runFolder.checkpointsPath
    let trainer = try run.prepare()
    run.whenShown = { text in
      if text.hasPrefix("step \(hidden.lowerBound)/") {
        trainer.writer.finish()
        try FileManager.default.moveItem(atPath: path, toPath: path + "-away")
      }
      if text.hasPrefix("step \(hidden.upperBound)/") {
        trainer.writer.finish()
        try FileManager.default.moveItem(atPath: path + "-away", toPath: path)
      }
    }
    return try trainer.run()
  }

  private func make() throws -> TinyRun {
    try TinyRun { configuration in
      configuration.run.checkpointInterval = 3
      configuration.run.keepCheckpoints = 1
    }
  }

  @Test func theRunGoesOnAndTheNextOneIsWritten() throws {
    let whole = try make()
    try whole.train()
    let run = try make()
    let summary = try train(run, hidden: 5...8)
    #expect(summary.ending == .finished && summary.isSaved && summary.savedStep == 12)
    #expect(
      run.shown.contains { text in
        text.hasPrefix(
          "WARNING: no checkpoint of step 6: cannot make the folder "
            + "'\(run.runFolder.checkpointsPath)/.writing-step-00000006': ")
      })
    #expect(run.store.steps() == [12])
    #expect(differences(try run.result(), try whole.result()) == [])
  }

  @Test func theEarlierOneStaysAndTheEndSaysWhatIsNotSaved() throws {
    let run = try make()
    let summary = try train(run, hidden: 5...13)
    #expect(summary.ending == .finished)
    #expect(!summary.isSaved && summary.savedStep == 3)
    #expect(summary.unsaved?.contains(".writing-step-00000012") == true)
    #expect(
      summary.text.contains(
        "NOT SAVED               the state after step 12: cannot make the folder"))
    #expect(summary.text.contains("; the newest checkpoint is of step 3\n"))
    let path = run.runFolder.checkpointsPath
    try FileManager.default.moveItem(atPath: path + "-away", toPath: path)
    #expect(run.store.steps() == [3])
    #expect(run.folder.files(below: "run/checkpoints").count == 6)
    run.close()
    run.whenShown = nil
    #expect(try run.train(.resuming).isSaved)
  }

  @Test func aStoreThatIsNoFolderIsNamed() throws {
    let run = try make()
    let trainer = try run.prepare()
    var state = TrainingState(judge: StepJudge(.init()), seed: 1)
    let first = try CheckpointSnapshot(
      trainer.engine, state: state, configuration: run.configuration)
    state.step = 5
    let second = try CheckpointSnapshot(
      trainer.engine, state: state, configuration: run.configuration)
    let writer = CheckpointWriter(CheckpointStore(run.folder.path + "/train_000000.bin"))
    // The second may begin before anybody asks about the first: neither is forgotten.
    writer.write(first)
    writer.write(second)
    writer.finish()
    let failures = writer.takeFailures()
    #expect(failures.map(\.step) == [0, 5])
    #expect(failures[0].reason.contains("train_000000.bin/.writing-step-00000000"))
    #expect(writer.takeFailures().isEmpty && writer.savedStep == nil)
  }
}
