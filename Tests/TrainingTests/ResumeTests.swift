import FeedForward
import Foundation
import Testing
import Training
import Transformer

/// The same seed gives the same bits, however often a run was stopped on the way.
@Suite struct ResumeTests {
  @Test func theSameSeedGivesTheSameBitsAndAnotherDoesNot() throws {
    let first = try TinyRun()
    let second = try TinyRun()
    let third = try TinyRun { $0.run.seed = 2 }
    for run in [first, second, third] { try run.train() }
    #expect(differences(try first.result(), try second.result()) == [])
    #expect(differences(try first.result(), try third.result()).contains("parameters.safetensors"))
  }

  @Test(arguments: [FeedForwardMode.columns, .paper])
  func threadsDoNotChangeBits(mode: FeedForwardMode) throws {
    let one = try TinyRun(mode: mode)
    let two = try TinyRun(mode: mode)
    try one.train(threads: 1)
    try two.train(threads: 2)
    #expect(differences(try one.result(), try two.result()) == [])
  }

  @Test func aRunWhoseEventsWereDeletedGoesOn() throws {
    let whole = try TinyRun()
    try whole.train()
    let run = try TinyRun()
    let stopped = try run.train(requests: StopAtPoll(20).requests)
    #expect(stopped.ending == .stopped(signal: SIGTERM))
    run.close()
    try FileManager.default.removeItem(atPath: run.runFolder.eventsPath)
    #expect(try run.train(.resuming).ending == .finished)
    #expect(differences(try run.result(), try whole.result()) == [])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run.runFolder.eventsPath).count == 1)
  }

  /// Stops at every place where a trainer asks whether to: between and within steps, in
  /// evaluations, in samples. Re-clustering or centroids that move, both phase switches and the
  /// checkpoint interval lie on the way.
  @Test(arguments: [0, 2])
  func aStopAnywhereChangesNothing(centroidInterval: Int) throws {
    func make() throws -> TinyRun {
      try TinyRun {
        $0.run.sampleInterval = 6
        if centroidInterval > 0 { $0.feedForward.moveCentroids(every: centroidInterval) }
      }
    }
    let whole = try make()
    let counter = StopAtPoll(.max)
    try whole.train(requests: counter.requests)
    let expected = try whole.result()
    #expect(counter.polls > 40)
    for poll in 1...counter.polls {
      let run = try make()
      let stopped = try run.train(requests: StopAtPoll(poll).requests)
      #expect(stopped.ending == .stopped(signal: SIGTERM), "poll \(poll)")
      #expect(stopped.isSaved && stopped.savedStep == stopped.step, "poll \(poll)")
      run.close()
      let resumed = try run.train(.resuming)
      #expect(resumed.ending == .finished, "poll \(poll)")
      #expect(differences(try run.result(), expected) == [], "poll \(poll)")
    }
  }

  @Test(arguments: [(FeedForwardMode.dense, 0), (.paper, 0), (.columns, 0), (.columns, 2)])
  func aRunThatIsStoppedAfterEveryStepEndsWithTheSameBits(
    mode: FeedForwardMode, centroidInterval: Int
  ) throws {
    func make() throws -> TinyRun {
      try TinyRun(mode: mode) { configuration in
        if centroidInterval > 0 { configuration.feedForward.moveCentroids(every: centroidInterval) }
        // Two sources, so that the mix goes on where it was.
        let path = configuration.run.folder + "/other_000000.bin"
        configuration.data.train[0].weight = 2
        configuration.data.train.append(DataConfiguration.Source(path: path))
        configuration.optimizer.spikeWindow = 4
        configuration.optimizer.spikeThreshold = 2
      }
    }
    let whole = try make()
    try whole.train()
    let run = try make()
    var sessions = 0
    var ending = RunSummary.Ending.stopped(signal: 0)
    while ending != .finished && sessions < 30 {
      // One poll before the step and one after each of its two micro-batches.
      let stop = StopAtPoll(sessions == 0 ? 4 : 5)
      ending = try run.train(sessions == 0 ? .new : .resuming, requests: stop.requests).ending
      run.close()
      sessions += 1
    }
    #expect(sessions > 10)
    #expect(differences(try run.result(), try whole.result()) == [])
  }

  /// Sums over other samples would count as much as these.
  @Test func whatWasRememberedIsOfTheSettingsItWasMadeWith() throws {
    let run = try TinyRun { $0.feedForward.moveCentroids(every: 2) }
    let stopped = try run.train(requests: StopAtPoll(25).requests)
    #expect(stopped.ending == .stopped(signal: SIGTERM) && stopped.step > 3 && stopped.step < 9)
    run.close()
    func remembered() throws -> [[Float]] {
      defer { run.close() }
      return try run.prepare(.resuming).engine.pass.feedForward.clusterState.remembered
    }
    #expect(try remembered().contains { $0.contains { $0 > 0 } })
    run.configuration.feedForward.samples = 4
    #expect(try remembered().allSatisfy(\.isEmpty))
  }

  @Test func aFinishedRunResumesToTheSameSummaryAndWritesNothingNew() throws {
    let run = try TinyRun()
    let first = try run.train()
    run.close()
    let metrics = try run.metrics()
    let again = try run.train(.resuming)
    #expect(again.ending == .finished)
    #expect(again.evaluation == first.evaluation)
    #expect(again.sample == first.sample)
    #expect(try run.metrics() == metrics)
  }

  @Test func aFinishedRunGoesOnWithMoreSteps() throws {
    let run = try TinyRun()
    try run.train()
    run.close()
    run.configuration.schedule.steps = 15
    let longer = try run.train(.resuming)
    #expect(longer.step == 15)
    #expect(run.shown.contains("schedule.steps changes from 12 to 15\n"))
    run.close()
    #expect(try run.runFolder.configuration().schedule.steps == 15)
  }

  @Test func twoTrainersInOneFolderAreRefused() throws {
    let run = try TinyRun()
    let first = try run.prepare()
    let other = TinyRunCopy(run)
    let error = #expect(throws: TrainingError.self) { try other.resume() }
    #expect(
      error?.description
        == "another krait is training in '\(run.runFolder.path)'; wait for it or stop it")
    _ = try first.run()
  }

  @Test func aFolderThatHoldsARunIsRefusedAndOverwritten() throws {
    let run = try TinyRun()
    try run.train()
    run.close()
    let path = run.runFolder.path
    let error = #expect(throws: TrainingError.self) { try run.prepare() }
    #expect(
      error?.description
        == "'\(path)' already holds a run; continue it with --resume, choose another run.name, "
        + "or delete it with --overwrite")
    try Data("mine".utf8).write(to: URL(fileURLWithPath: path + "/notes.txt"))
    run.configuration.schedule.steps = 2
    // What cannot start deletes nothing.
    run.configuration.data.validation = "/nowhere"
    #expect(throws: (any Error).self) { try run.prepare(.overwriting) }
    #expect(run.store.steps().last == 12)
    run.configuration.data.validation = ""
    try run.train(.overwriting)
    #expect(run.store.steps() == [2])
    #expect(try run.metrics().count == 3)
    #expect(FileManager.default.fileExists(atPath: path + "/notes.txt"))
    // The lock still holds after the deletion.
    let other = TinyRunCopy(run)
    #expect(throws: TrainingError.self) { try other.resume() }
  }
}

/// A second trainer for the folder of a run.
private struct TinyRunCopy {
  let configuration: RunConfiguration
  let folder: RunFolder

  init(_ run: TinyRun) {
    configuration = run.configuration
    folder = run.runFolder
  }

  func resume() throws {
    _ = try Trainer(
      configuration, on: try TinyRun.backend(), folder: folder, start: .resuming, version: "test",
      progress: ProgressLine(
        steps: 1,
        phases: SparsityPhases(configuration.schedule, feedForward: configuration.feedForward),
        interval: 1, terminal: false, write: { _ in }))
  }
}
