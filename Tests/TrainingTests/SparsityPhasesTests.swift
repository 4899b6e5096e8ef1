import FeedForward
import Testing
import Training

@Suite struct SparsityPhasesTests {
  private func phases(
    steps: Int, warmup: Int, sparse: Double, list: [ScheduleConfiguration.Phase] = [],
    weights: Double = 1
  ) -> SparsityPhases {
    var schedule = ScheduleConfiguration()
    schedule.steps = steps
    schedule.denseWarmup = warmup
    schedule.sparseFraction = sparse
    schedule.phases = list
    schedule.sparseWeightsFraction = weights
    return SparsityPhases(schedule, feedForward: FeedForwardConfiguration())
  }

  @Test func denseThenSparseThenDense() {
    let phases = phases(steps: 100, warmup: 5, sparse: 0.9).phases
    #expect(phases.map(\.steps) == [0..<5, 5..<95, 95..<100])
    #expect(phases.map(\.mode) == [.dense, .columns, .dense])
  }

  @Test func aLongWarmupNeverTakesTheDenseEnd() {
    let short = phases(steps: 100, warmup: 50, sparse: 0.8)
    #expect(short.phases.map(\.steps) == [0..<10, 10..<90, 90..<100])
    #expect(
      short.warning
        == "schedule.denseWarmup is 50, but schedule.sparseFraction 0.8 leaves 20 dense steps: 10 of "
        + "them come first, for the run must end with some; lower schedule.sparseFraction")
    #expect(
      phases(steps: 10, warmup: 4, sparse: 1).warning
        == "schedule.denseWarmup is 4, but schedule.sparseFraction 1.0 leaves no dense steps; lower "
        + "it, or set schedule.denseWarmup to 0")
    #expect(phases(steps: 100, warmup: 10, sparse: 0.8).warning == nil)
    #expect(phases(steps: 10, warmup: 0, sparse: 1).warning == nil)
    #expect(phases(steps: 100, warmup: 50, sparse: 0).warning == nil)
  }

  @Test func sparseWeightsEndBeforeTheSparseStepsDo() {
    let half = phases(steps: 100, warmup: 10, sparse: 0.8, weights: 0.5)
    #expect((10..<90).filter { half.usesSparseWeights(step: $0) } == Array(10..<50))
    let all = phases(steps: 100, warmup: 10, sparse: 0.8)
    #expect((10..<90).allSatisfy { all.usesSparseWeights(step: $0) })
    let none = phases(steps: 100, warmup: 10, sparse: 0.8, weights: 0)
    #expect(!(10..<90).contains { none.usesSparseWeights(step: $0) })
    #expect(half != all)
  }

  @Test func allSparseAndAllDense() {
    #expect(phases(steps: 10, warmup: 4, sparse: 1).phases.map(\.mode) == [.columns])
    #expect(phases(steps: 10, warmup: 4, sparse: 0).phases.map(\.mode) == [.dense])
  }

  @Test func anExplicitListIsTakenAndItsLastPhaseLastsToTheEnd() {
    let given = [
      ScheduleConfiguration.Phase(mode: .dense, steps: 3),
      ScheduleConfiguration.Phase(mode: .columns, steps: 4),
      ScheduleConfiguration.Phase(mode: .dense, steps: 1),
    ]
    let phases = phases(steps: 20, warmup: 9, sparse: 0.5, list: given)
    #expect(phases.phases.map(\.steps) == [0..<3, 3..<7, 7..<20])
    #expect(phases.sparseSteps(from: 5) == 2)
    #expect(
      (0..<20).map { phases.mode(step: $0) == .columns } == (0..<20).map { (3..<7).contains($0) })
  }

  @Test func centroidsMoveAtTheFirstSparseStepAndEverySoManyAfterIt() {
    var schedule = ScheduleConfiguration()
    schedule.steps = 20
    schedule.phases = [
      .init(mode: .dense, steps: 3), .init(mode: .columns, steps: 8), .init(mode: .dense, steps: 9),
    ]
    var feedForward = FeedForwardConfiguration()
    feedForward.centroidInterval = 3
    func steps() -> [Int] {
      let phases = SparsityPhases(schedule, feedForward: feedForward)
      return (0..<20).filter { phases.movesCentroids(step: $0) }
    }
    #expect(steps() == [3, 6, 9])
    feedForward.clusters = 0
    #expect(steps() == [])
    feedForward.clusters = 48
    feedForward.mode = .paper
    #expect(steps() == [])
    feedForward.mode = .columns
    feedForward.centroidInterval = 0
    #expect(steps() == [])
  }
}
