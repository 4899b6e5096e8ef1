import Foundation
import Testing
import Training

@Suite struct StopRequestTests {
  @Test func aRequestBeforeTheFirstStepSavesStepZero() throws {
    let run = try TinyRun()
    let summary = try run.train(requests: StopAtPoll(1).requests)
    #expect(summary.ending == .stopped(signal: SIGTERM) && summary.step == 0)
    #expect(run.store.steps() == [0])
  }

  @Test func aSaveRequestWritesACheckpointAndTheRunGoesOn() throws {
    let run = try TinyRun { $0.run.checkpointInterval = 0 }
    var asked = 0
    let summary = try run.train(
      requests: StopRequests(
        stop: { nil },
        takeSave: {
          asked += 1
          return asked == 7
        }))
    #expect(summary.ending == .finished && summary.step == 12)
    #expect(run.store.steps() == [7, 12])
    #expect(run.shown.contains("saving after step 7, as asked by a signal\n"))
  }

  @Test func theSummaryOfAStoppedRunTellsHowToGoOn() throws {
    let run = try TinyRun()
    let text = try run.train(requests: StopAtPoll(9).requests).text
    #expect(text.contains("stopped by SIGTERM after "))
    #expect(text.contains("; checkpoint written\n"))
    #expect(
      text.contains(
        "krait train --resume --set run.folder=\(run.folder.path) --set run.name=run"))
  }
}
