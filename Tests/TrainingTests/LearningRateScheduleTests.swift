import Testing
import Training

@Suite struct LearningRateScheduleTests {
  @Test(arguments: ScheduleShape.allCases)
  func risesOverTheWarmupAndEndsAtTheMinimum(shape: ScheduleShape) {
    var configuration = ScheduleConfiguration()
    configuration.steps = 100
    configuration.warmup = 10
    configuration.learningRate = 0.01
    configuration.minimumRatio = 0.1
    configuration.shape = shape
    let schedule = LearningRateSchedule(configuration)
    let rates = (0..<100).map(schedule.rate)
    #expect(rates[0] > 0 && rates[0] < rates[5] && rates[5] < rates[9])
    #expect(abs(rates[9] - 0.01) < 1e-12)
    #expect(zip(rates[9...], rates[10...]).allSatisfy { $0 >= $1 })
    let last = shape == .constant ? 0.01 : 0.001
    #expect(abs(rates[99] - last) < 1e-12)
  }
}
