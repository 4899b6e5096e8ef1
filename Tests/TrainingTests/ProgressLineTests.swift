import FeedForward
import Testing
import Training

@Suite struct ProgressLineTests {
  private final class Screen {
    var text = ""
  }

  private func phases() -> SparsityPhases {
    var schedule = ScheduleConfiguration()
    schedule.steps = 100
    schedule.denseWarmup = 10
    schedule.sparseFraction = 0.8
    return SparsityPhases(schedule, feedForward: FeedForwardConfiguration())
  }

  private func record(_ step: Int, mode: FeedForwardMode = .dense, skipped: String? = nil)
    -> StepRecord
  {
    StepRecord(
      step: step, loss: 4.56789, norm: 1, spikeScore: nil, rate: 1e-3, tokens: step * 64,
      seconds: 1, tokensPerSecond: 12345.6, mode: mode, skipped: skipped)
  }

  private func line(_ screen: Screen, terminal: Bool, width: Int = 100, interval: Int = 10)
    -> ProgressLine
  {
    ProgressLine(
      steps: 100, phases: phases(), interval: interval, terminal: terminal, width: { width },
      write: { screen.text += $0 })
  }

  @Test func elsewhereLinesArePlainAndRare() {
    let screen = Screen()
    let progress = line(screen, terminal: false)
    for step in 1...20 { progress.show(record(step), stepSeconds: 2) }
    progress.end()
    #expect(
      screen.text == """
        step 1/100  loss 4.568  12,346 tokens/s  dense  ETA 3 min 18 s
        step 10/100  loss 4.568  12,346 tokens/s  dense  ETA 3 min 00 s
        step 20/100  loss 4.568  12,346 tokens/s  dense  ETA 2 min 40 s

        """)
  }

  @Test func aTerminalShowsOneLineThatIsDrawnOver() {
    let screen = Screen()
    let progress = line(screen, terminal: true)
    progress.show(record(50), stepSeconds: 1)
    let live =
      "[===============               ] step 50/100  loss 4.568  12,346 tokens/s  dense  ETA 50 s"
    #expect(screen.text == "\r" + live + "\u{1B}[K")
    // The next picture would come too soon to be seen.
    progress.show(record(51), stepSeconds: 1)
    #expect(screen.text == "\r" + live + "\u{1B}[K")
    screen.text = ""
    progress.say("a word")
    #expect(screen.text == "\r\u{1B}[Ka word\n" + live)
    screen.text = ""
    progress.end()
    progress.say("the end")
    #expect(screen.text == "\nthe end\n")
  }

  @Test(arguments: [1, 2, 10, 20, 40, 60, 61, 70, 80, 200])
  func aLiveLineNeverWraps(width: Int) {
    let screen = Screen()
    line(screen, terminal: true, width: width).show(record(50), stepSeconds: 1)
    let visible = screen.text.dropFirst().dropLast(3)
    #expect(visible.count < max(width, 1) || visible.isEmpty)
    #expect("step 50/100  loss 4.568".hasPrefix(visible) || visible.contains("step 50/100"))
  }

  @Test func skippedStepsAreSaidWithTheirReason() {
    let screen = Screen()
    line(screen, terminal: false).show(record(7, skipped: "the loss is nan"), stepSeconds: 1)
    #expect(screen.text == "step 7 is skipped: the loss is nan\n")
  }

  @Test func theTimeLeftKnowsDenseFromSparseSteps() {
    let progress = line(Screen(), terminal: false)
    #expect(progress.secondsLeft(after: 0) == nil)
    progress.show(record(10), stepSeconds: 4)
    // 80 sparse steps are still thought to be as slow as dense ones.
    #expect(progress.secondsLeft(after: 10) == 360)
    progress.show(record(11, mode: .columns), stepSeconds: 1)
    #expect(abs((progress.secondsLeft(after: 11) ?? 0) - (79 + 40)) < 1e-9)
    #expect(abs((progress.secondsLeft(after: 95) ?? 0) - 20) < 1e-9)
  }

  @Test func numbersForPeople() {
    #expect(
      [0, 59.4, 59.6, 3599, 7500].map(ProgressLine.duration)
        == ["0 s", "59 s", "1 min 00 s", "59 min 59 s", "2 h 05 min"])
    #expect(ProgressLine.duration(.infinity) == "?" && ProgressLine.duration(-1) == "?")
    #expect(
      [0, 0.0432, 0.0999, 0.09996, 0.298, 0.9996, 1.26, 9.94, 9.96, 75].map(
        ProgressLine.stepDuration)
        == [
          "0.0 ms", "43.2 ms", "99.9 ms", "100 ms", "298 ms", "1.0 s", "1.3 s", "9.9 s", "10 s",
          "1 min 15 s",
        ])
    #expect(ProgressLine.decimals(-0.0004, 3) == "0.000")
    #expect(ProgressLine.decimals(-12.3456, 2) == "-12.35")
    #expect(ProgressLine.decimals(.nan, 2) == "nan")
    #expect(
      [0, 999, 1000, -1_234_567].map(ProgressLine.grouped)
        == ["0", "999", "1,000", "-1,234,567"])
  }
}
