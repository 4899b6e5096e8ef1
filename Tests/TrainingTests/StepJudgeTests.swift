import Foundation
import Testing
import Training

@Suite struct StepJudgeTests {
  @Test func theScoreIsTheDistanceFromTheMeanInDeviations() throws {
    var detector = SpikeDetector(window: 4)
    #expect(detector.score(1) == nil)
    for value in [100.0, 1, 3, 1, 3] { detector.add(value) }
    // The window holds 1, 3, 1, 3: mean 2, deviation 1.
    #expect(detector.score(7) == 5)
    #expect(detector.score(2) == 0)
    #expect(detector.score(.nan) == nil)
    detector.add(.nan)
    detector.add(.infinity)
    #expect(detector.score(7) == 5)
  }

  @Test func aConstantPastMakesAnyOtherValueInfinitelyUnusual() {
    var detector = SpikeDetector(window: 4)
    for _ in 0..<4 { detector.add(2) }
    #expect(detector.score(2) == 0)
    #expect(detector.score(2.5) == .infinity)
  }

  private func judge(threshold: Double) -> StepJudge {
    var configuration = OptimizerConfiguration()
    configuration.spikeThreshold = threshold
    configuration.spikeWindow = 8
    var judge = StepJudge(configuration)
    for step in 0..<8 {
      _ = judge.judge(loss: step % 2 == 0 ? 3 : 5, norm: 1 + 0.1 * Double(step % 2))
    }
    return judge
  }

  @Test func aSpikeIsSkippedAndCounted() {
    var judge = judge(threshold: 4)
    #expect(judge.judge(loss: 7.9, norm: 1).verdict == .apply)
    #expect(
      judge.judge(loss: 40, norm: 1).verdict
        == .skip("the loss is 22.8 deviations above its mean"))
    #expect(judge.skipped == 1 && judge.skippedInRow == 1)
    #expect(judge.judge(loss: 4, norm: 50).verdict != .apply)
    #expect(judge.skipped == 2 && judge.skippedInRow == 2)
    #expect(judge.judge(loss: 4, norm: 1).verdict == .apply)
    #expect(judge.skipped == 2 && judge.skippedInRow == 0)
  }

  @Test func thresholdZeroOnlyTellsTheScore() {
    var judge = judge(threshold: 0)
    let judged = judge.judge(loss: 400, norm: 1)
    #expect(judged.verdict == .apply)
    #expect(judged.lossScore == 396)
  }

  @Test func aResumedRunTakesItsNewThreshold() throws {
    let data = try JSONEncoder().encode(judge(threshold: 0))
    var restored = try JSONDecoder().decode(StepJudge.self, from: data)
    #expect(restored == judge(threshold: 0))
    var changed = OptimizerConfiguration()
    changed.spikeThreshold = 4
    changed.spikeWindow = 8
    restored.adopt(changed)
    #expect(restored.judge(loss: 40, norm: 1).verdict != .apply)
  }
}
