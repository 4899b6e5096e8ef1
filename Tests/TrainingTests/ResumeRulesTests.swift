import FeedForward
import Testing
import Training
import Transformer

@Suite struct ResumeRulesTests {
  @Test func whatTheTensorsWereMadeWithMustStay() throws {
    let stored = RunConfiguration()
    var requested = stored
    requested.model.width = 99
    requested.feedForward.mode = .dense
    requested.run.seed = 12
    requested.schedule.steps = 5000
    let error = #expect(throws: ConfigurationError.self) {
      try ResumeRules.changes(from: stored, to: requested, hasClusters: true)
    }
    let end = "; leave the setting out, or start another run (run.name)"
    #expect(
      error?.mistakes == [
        "model.width is 99, but the run to resume was started with \(stored.model.width)" + end,
        "feedForward.mode is \"dense\", but the run to resume was started with \"columns\"" + end,
        "run.seed is 12, but the run to resume was started with \(stored.run.seed)" + end,
      ])
  }

  @Test func theRestMayChangeAndIsTold() throws {
    let stored = RunConfiguration()
    var requested = stored
    requested.schedule.steps = 5000
    requested.run.folder = "elsewhere"
    requested.device.threads = 7
    #expect(
      try ResumeRules.changes(from: stored, to: requested, hasClusters: true) == [
        "schedule.steps changes from 400 to 5000", "device.threads changes from 0 to 7",
      ])
    #expect(try ResumeRules.changes(from: stored, to: stored, hasClusters: true) == [])
  }

  /// From a checkpoint of the dense warm-up a run goes on as one that had other clusters from its start.
  @Test func clustersMayChangeUntilThereAreSome() throws {
    let whole = try TinyRun { $0.feedForward.clusters = 6 }
    try whole.train()
    let run = try TinyRun { $0.run.checkpointInterval = 1 }
    let polls = StopAtPoll(3)
    #expect(try run.train(requests: polls.requests).step < run.configuration.schedule.denseWarmup)
    run.close()
    run.configuration.feedForward.clusters = 6
    run.configuration.run.checkpointInterval = 5
    #expect(try run.train(.resuming).ending == .finished)
    #expect(run.shown.contains { $0.contains("feedForward.clusters changes from 4 to 6") })
    #expect(differences(try run.result(), try whole.result()) == [])
    run.close()
    run.configuration.feedForward.clusters = 4
    run.configuration.schedule.steps = 13
    #expect(throws: ConfigurationError.self) { try run.prepare(.resuming) }
  }

  @Test func aTrainerRefusesAndLeavesTheRunAsItIs() throws {
    let run = try TinyRun()
    try run.train()
    run.close()
    let good = run.configuration
    run.configuration.model.width = 64
    run.configuration.schedule.steps = 99
    #expect(throws: ConfigurationError.self) { try run.prepare(.resuming) }
    #expect(try run.runFolder.configuration() == good)
    #expect(run.store.steps() == [5, 10, 12])
  }
}
