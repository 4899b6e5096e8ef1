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
      try ResumeRules.changes(from: stored, to: requested)
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
      try ResumeRules.changes(from: stored, to: requested) == [
        "schedule.steps changes from 400 to 5000", "device.threads changes from 0 to 7",
      ])
    #expect(try ResumeRules.changes(from: stored, to: stored) == [])
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
