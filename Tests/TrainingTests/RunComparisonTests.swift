import FeedForward
import Foundation
import Testing
import Training
import Transformer

@Suite struct RunComparisonTests {
  /// A run whose loss falls from `first` to `last` in straight line over ten evaluations.
  private func run(
    _ name: String, from first: Double, to last: Double, secondsPerStep: Double,
    mode: FeedForwardMode = .dense
  ) -> RunCurves {
    var run = RunCurves(name: name)
    for step in 1...100 {
      run.steps.append(
        RunCurves.Step(
          step: step, tokens: step * 1000, seconds: Double(step) * secondsPerStep, loss: first,
          tokensPerSecond: 1000 / secondsPerStep, mode: step > 20 && step <= 90 ? mode : .dense))
    }
    for evaluation in 1...10 {
      run.evaluations.append(
        RunCurves.Evaluation(
          step: evaluation * 10, tokens: evaluation * 10_000,
          seconds: Double(evaluation * 10) * secondsPerStep,
          loss: first + (last - first) * Double(evaluation - 1) / 9, bitsPerByte: nil))
    }
    return run
  }

  @Test func timeToTheReferencesLossIsInterpolated() throws {
    // The faster run goes from 5 to 2.75 in nine intervals of 0.25: 3 lies at its ninth evaluation.
    let comparison = RunComparison([
      run("dense", from: 5, to: 3, secondsPerStep: 2),
      run("columns", from: 5, to: 2.75, secondsPerStep: 1, mode: .columns),
    ])
    let reached = try #require(comparison.entries[1].reached)
    #expect(abs(reached.tokens - 90_000) < 1e-6)
    #expect(abs(reached.seconds - 90) < 1e-9)
    #expect(abs(try #require(comparison.timesSooner(comparison.entries[1])) - 200.0 / 90) < 1e-9)
    #expect(comparison.timesSooner(comparison.entries[0]) == 1)
  }

  @Test func aLossThatIsNeverReachedIsSaid() {
    let comparison = RunComparison([
      run("dense", from: 5, to: 3, secondsPerStep: 2),
      run("worse", from: 5, to: 3.1, secondsPerStep: 1, mode: .columns),
    ])
    #expect(comparison.entries[1].reached == nil)
    #expect(comparison.timesSooner(comparison.entries[1]) == nil)
    #expect(ComparisonText(comparison).text.contains("not reached"))
    #expect(ComparisonText(comparison).text.contains("+0.1000"))
  }

  /// By dense steps, which are the same work in both; not where the model is another.
  @Test(arguments: [(2.06, 1, true), (1.94, 1, true), (2.02, 1, false), (2.06, 2, false)])
  func runsOnMachinesOfDifferentSpeedAreNamed(
    secondsPerStep: Double, layers: Int, isNamed: Bool
  ) throws {
    var configurations = [RunConfiguration(), RunConfiguration()]
    configurations[0].model.layers = 1
    configurations[1].model.layers = layers
    let comparison = RunComparison(
      [
        run("dense", from: 5, to: 3, secondsPerStep: 2),
        run("columns", from: 5, to: 3, secondsPerStep: secondsPerStep, mode: .columns),
      ], configurations: configurations)
    let note = comparison.warnings.first { $0.contains("columns's dense steps took 3.") }
    #expect((note != nil) == isNamed)
    #expect(comparison.warnings.count == (isNamed ? 1 : 0))
    #expect(note?.contains(secondsPerStep > 2 ? "longer" : "less") ?? true)
  }

  /// Steps count that are dense in both, by their number: a card slows down as it warms. Copies of the
  /// reference's steps, which a branch begins with, say nothing, and neither do nine steps.
  @Test(arguments: [(12, 1.0, false), (12, 1.03, true), (11, 1.03, true), (10, 1.03, false)])
  func speedsAreComparedStepByStep(lastDense: Int, slower: Double, isNamed: Bool) {
    func run(_ name: String, lastDense: Int, slower: Double) -> RunCurves {
      var run = RunCurves(name: name)
      for step in 1...100 {
        let seconds = (step == 1 ? 60 : 2 + 0.001 * Double(step)) * slower
        run.steps.append(
          RunCurves.Step(
            step: step, tokens: step * 1000, seconds: Double(step), loss: 3,
            tokensPerSecond: 1000 / seconds, mode: step <= lastDense ? .dense : .columns))
      }
      run.evaluations = [
        RunCurves.Evaluation(
          step: 100, tokens: 100_000, seconds: 100, loss: 3, bitsPerByte: nil)
      ]
      return run
    }
    let comparison = RunComparison([
      run("dense", lastDense: 100, slower: 1),
      run("columns", lastDense: lastDense, slower: slower),
    ])
    #expect(comparison.warnings.count { $0.contains("took 3.0 % longer") } == (isNamed ? 1 : 0))
    #expect(comparison.warnings.count == (isNamed ? 1 : 0))
  }

  @Test func seedsOfOneRecipeAreAveraged() throws {
    func configuration(_ seed: Int, _ change: (inout RunConfiguration) -> Void) -> RunConfiguration
    {
      var configuration = RunConfiguration()
      configuration.run.seed = seed
      change(&configuration)
      return configuration
    }
    let comparison = RunComparison(
      [
        run("dense-1", from: 5, to: 3, secondsPerStep: 2),
        run("columns-1", from: 5, to: 2.8, secondsPerStep: 1, mode: .columns),
        run("dense-2", from: 5, to: 3.2, secondsPerStep: 4),
        run("columns-2", from: 5, to: 3.3, secondsPerStep: 2, mode: .columns),
      ],
      configurations: [
        configuration(1) { $0.feedForward.mode = .dense },
        configuration(1) { _ in },
        // What a dense run would do in sparse steps makes no other recipe of it.
        configuration(2) {
          $0.feedForward.mode = .dense
          $0.feedForward.samples = 3
          $0.schedule.denseWarmup = 7
        },
        configuration(2) { _ in },
      ])
    #expect(comparison.groups.map(\.name) == ["dense", "columns"])
    let (dense, columns) = (comparison.groups[0], comparison.groups[1])
    #expect(abs(dense.meanLoss - 3.1) < 1e-12 && abs(columns.meanLoss - 3.05) < 1e-12)
    #expect(dense.meanSeconds == 300 && columns.meanSeconds == 150)
    #expect(abs(try #require(dense.standardError) - 0.1) < 1e-12)
    // Pairs of one seed: -0.2 and 0.1.
    let pairs = columns.difference(to: dense)
    #expect(abs(pairs.loss + 0.05) < 1e-12)
    #expect(abs(try #require(pairs.standardError) - 0.15) < 1e-12)
    let text = ComparisonText(comparison).text
    #expect(text.contains("3.1000 ± 0.1000"))
    #expect(text.contains("-0.0500 ± 0.1500"))
    #expect(text.contains("1 of 2") && text.contains("2.00x"))
    #expect(columns.runs == [1, 3])
    // Seeds of a recipe share a colour, and the page has the means too.
    let html = ComparisonPage(comparison, title: "t").html
    #expect(html.contains("3.1000 ± 0.1000"))
    #expect(!html.contains("class=\"line stroke2\"") && html.contains("class=\"line stroke1\""))
  }

  /// Pairs say more than means, but only whole ones: where a seed is missing, or there twice, means are compared.
  @Test func onlyWholePairsOfSeedsAreCompared() throws {
    func group(_ losses: [Double], seeds: [Int]) -> SeedGroup {
      SeedGroup(
        name: "x", runs: Array(losses.indices), losses: losses,
        seconds: losses.map { _ in 1 }, seeds: seeds)
    }
    let base = group([3, 4, 6], seeds: [1, 2, 3])
    let some = group([4.25, 6.75], seeds: [2, 3]).difference(to: base)
    #expect(some.loss == 0.5 && some.standardError == 0.25)
    let unpaired = [
      group([4, 6], seeds: [2, 4]), group([4, 6], seeds: [2, 2]),
    ]
    for other in unpaired {
      let means = other.difference(to: base)
      #expect(abs(means.loss - (5 - 13.0 / 3)) < 1e-12)
      let error = (1 + 7.0 / 9).squareRoot()
      #expect(abs(try #require(means.standardError) - error) < 1e-12)
    }
    let one = group([4.5], seeds: [2]).difference(to: base)
    #expect(one.loss == 0.5 && one.standardError == nil)
  }

  /// The first run is the reference: where it was never evaluated, none of the others takes its place.
  @Test func meansWithoutAnEvaluatedReferenceAreNotCompared() throws {
    var first = run("dense", from: 5, to: 3, secondsPerStep: 2)
    first.evaluations = []
    let columns = (1...2).map {
      run("columns-\($0)", from: 5, to: 2.5 + Double($0), secondsPerStep: 1, mode: .columns)
    }
    let comparison = RunComparison(
      [first] + columns,
      configurations: (0...2).map { seed in
        var configuration = RunConfiguration()
        configuration.run.seed = seed
        configuration.feedForward.mode = seed == 0 ? .dense : .columns
        return configuration
      })
    let text = ComparisonText(comparison).text
    let means = try #require(text.range(of: "mean of seeds")).lowerBound
    #expect(text[means...].contains("4.0000 ± 0.5000"))
    #expect(!text[means...].contains("1.00x"))
    let line = try #require(
      text[means...].split(separator: "\n").first { $0.hasPrefix("to reference") })
    #expect(line.split(separator: " ").last == "-")
  }

  /// Training losses are compared with those of the reference's run of the same seed.
  @Test func trainingLossesAreComparedSeedBySeed() throws {
    func curves(_ name: String, above: Double, falling: Double = 0) -> RunCurves {
      var run = run(name, from: 5, to: 3, secondsPerStep: 1)
      for index in run.steps.indices {
        run.steps[index].loss = 4 + above + falling * Double(index + 1) / 100
      }
      return run
    }
    func configuration(_ seed: Int, _ mode: FeedForwardMode) -> RunConfiguration {
      var configuration = RunConfiguration()
      configuration.run.seed = seed
      configuration.feedForward.mode = mode
      return configuration
    }
    var last = curves("columns-2", above: 0.75)
    last.steps[95].loss = nil
    var other = curves("half-batch-1", above: 0)
    for index in other.steps.indices { other.steps[index].tokens /= 2 }
    let runs = [
      curves("dense-1", above: 0), curves("dense-2", above: 0.5),
      curves("columns-1", above: 0, falling: 1), last, curves("columns-3", above: 9), other,
    ]
    var half = configuration(1, .dense)
    half.data.batch /= 2
    half.data.microBatch /= 2
    let configurations = [
      configuration(1, .dense), configuration(2, .dense), configuration(1, .columns),
      configuration(2, .columns), configuration(3, .columns), half,
    ]
    let comparison = RunComparison(runs, configurations: configurations)
    let distances = runs.indices.map { comparison.trainingDistance(run: $0)?.loss }
    // Steps 91 to 100, whose mean is 0.955 of the fall; a step without a loss does not count.
    #expect(abs(try #require(distances[2]) - 0.955) < 1e-12)
    #expect(abs(try #require(distances[3]) - 0.25) < 1e-12)
    // The reference itself, a seed that it has not, and steps of other tokens.
    #expect([0, 1, 4, 5].allSatisfy { distances[$0] == nil })
    let text = ComparisonText(comparison).text
    #expect(text.contains("training, to its seed") && text.contains("+0.6025 ± 0.3525"))
    let early = RunComparison(runs, configurations: configurations, trainingSteps: 1...50)
    #expect(abs(try #require(early.trainingDistance(run: 2)?.loss) - 0.255) < 1e-12)
    let none = RunComparison(runs, configurations: configurations, trainingSteps: 200...300)
    #expect(none.trainingDistance(run: 2) == nil)
    #expect(RunComparison(runs).trainingDistance(run: 2) == nil)
  }

  /// While a run decays and the longer one does not yet, their losses are of two shares of their rates; at
  /// those of a cosine they soon differ for good.
  @Test(
    arguments: [(.wsd, 68...75), (.constant, 91...100), (.cosine, nil)]
      as [(ScheduleShape, ClosedRange<Int>?)])
  func trainingLossesAreComparedAtOneShareOfTheRates(
    shape: ScheduleShape, steps: ClosedRange<Int>?
  ) throws {
    func curves(_ name: String, steps: Int, rate: Double, above: Double) -> RunCurves {
      var schedule = ScheduleConfiguration()
      schedule.shape = shape
      schedule.steps = steps
      schedule.learningRate = rate
      schedule.warmup = 0
      schedule.decayFraction = 0.25
      var curves = run(name, from: 5, to: 3, secondsPerStep: 1)
      for index in curves.steps.indices {
        curves.steps[index].rate = LearningRateSchedule(schedule).rate(step: index)
        curves.steps[index].loss = 5 + above * Double(index + 1)
      }
      return curves
    }
    let runs = [
      curves("dense-1", steps: 100, rate: 1e-3, above: 0),
      curves("longer-1", steps: 200, rate: 2e-3, above: 1),
    ]
    var dense = RunConfiguration()
    dense.feedForward.mode = .dense
    let configurations = [dense, RunConfiguration()]
    let comparison = RunComparison(runs, configurations: configurations)
    let distance = comparison.trainingDistance(run: 1)
    #expect(distance?.steps == steps)
    let middle = steps.map { Double($0.lowerBound + $0.upperBound) / 2 }
    #expect(distance?.loss == middle)
    let text = ComparisonText(comparison).text
    if let steps {
      #expect(text.contains("of steps \(steps.lowerBound) to \(steps.upperBound))"))
    } else {
      #expect(!text.contains("training losses are of"))
    }
    let asked = RunComparison(runs, configurations: configurations, trainingSteps: 91...100)
    #expect(asked.trainingDistance(run: 1)?.loss == 95.5)
  }

  @Test func oneRunOfEachRecipeHasNoMeans() {
    var other = RunConfiguration()
    other.feedForward.samples = 5
    let comparison = RunComparison(
      [run("a", from: 5, to: 3, secondsPerStep: 2), run("b", from: 5, to: 3, secondsPerStep: 2)],
      configurations: [RunConfiguration(), other])
    #expect(comparison.groups.count == 2)
    #expect(!ComparisonText(comparison).text.contains("mean of seeds"))
  }

  @Test func phasesFollowTheModesOfTheSteps() {
    let phases = run("x", from: 5, to: 3, secondsPerStep: 1, mode: .columns).phases
    #expect(phases.map(\.mode) == [.dense, .columns, .dense])
    #expect(phases.map(\.tokens) == [0..<20_000, 20_000..<90_000, 90_000..<100_000])
  }

  @Test func thePageStandsAloneAndEscapesNames() {
    let comparison = RunComparison([
      run("<b>dense</b>", from: 5, to: 3, secondsPerStep: 2),
      run("a & b", from: 5, to: 2.9, secondsPerStep: 1, mode: .columns),
    ])
    let html = ComparisonPage(comparison, title: "t").html
    #expect(!html.contains("<b>dense</b>"))
    #expect(html.contains("&lt;b&gt;dense&lt;/b&gt;"))
    #expect(html.contains("a &amp; b"))
    #expect(html.components(separatedBy: "<svg").count - 1 == 5)
    for outside in ["http://", "https://", "<script", "src=", "@import"] {
      #expect(!html.contains(outside))
    }
  }

  @Test func metricsAreReadBackAndALastHalfLineIsLeftOut() throws {
    let path = FileManager.default.temporaryDirectory.path + "/krait-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = RunFolder(path)
    let lines = """
      {"kind":"step","step":1,"loss":5.5,"norm":1,"rate":1,"tokens":8,"seconds":0.5,"tokensPerSecond":16,"mode":"columns","skipped":false}
      {"kind":"layer","step":1,"layer":0,"energyKept":0.9,"nonzeroShare":0.5,"density":0.1,"deadNeurons":0}
      {"kind":"layer","step":1,"layer":1,"energyKept":0.7,"nonzeroShare":0.5,"density":0.1,"deadNeurons":0}
      {"kind":"evaluation","step":1,"tokens":8,"seconds":0.5,"loss":5.25,"perplexity":190,"bitsPerByte":1.5}
      {"kind":"step","step":2,"loss":"nan","norm":1,"rate":1,"tokens":16,"seconds":1,"tokensPerSecond":16,"mode":"dense","skipped":true,"reason":"x"}
      {"kind":"st
      """
    try lines.write(toFile: folder.metricsPath, atomically: true, encoding: .utf8)
    let curves = try RunCurves(folder, name: "x")
    #expect(curves.steps.map(\.loss) == [5.5, nil])
    #expect(curves.evaluations.map(\.loss) == [5.25])
    #expect(abs((curves.energies.first?.kept ?? 0) - 0.8) < 1e-12)

    try (lines.split(separator: "\n").dropLast().joined(separator: "\n") + "\n{}\n{}")
      .write(toFile: folder.metricsPath, atomically: true, encoding: .utf8)
    let error = #expect(throws: TrainingError.self) { try RunCurves(folder, name: "x") }
    #expect(error?.description == "'\(folder.metricsPath)', line 6, is not a metrics record")
  }

  @Test func aFolderWithoutARunIsNamed() {
    #expect(throws: TrainingError.self) { try RunComparison(folders: ["/nowhere"]) }
  }
}
