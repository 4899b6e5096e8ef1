import FeedForward
import Foundation
import Testing
import Training

@Suite struct ComparisonPlotsTests {
  /// A run of 100 steps of 1000 tokens, evaluated after some thousands of tokens.
  private func run(
    _ name: String, _ losses: [(thousands: Int, loss: Double)], mode: FeedForwardMode = .dense
  ) -> RunCurves {
    var run = RunCurves(name: name)
    for step in 1...100 {
      run.steps.append(
        RunCurves.Step(
          step: step, tokens: step * 1000, seconds: Double(step), loss: 4, tokensPerSecond: 1000,
          mode: step > 20 && step <= 90 ? mode : .dense))
    }
    run.evaluations = losses.map { thousands, loss in
      RunCurves.Evaluation(
        step: thousands, tokens: thousands * 1000, seconds: Double(thousands), loss: loss,
        bitsPerByte: nil)
    }
    return run
  }

  private func configuration(_ seed: Int, _ mode: FeedForwardMode) -> RunConfiguration {
    var configuration = RunConfiguration()
    configuration.run.seed = seed
    configuration.feedForward.mode = mode
    return configuration
  }

  /// Two dense runs and two of columns, evaluated in part at other tokens.
  private var seeds: RunComparison {
    RunComparison(
      [
        run("dense-1", [(20, 5), (40, 4), (60, 3.5), (100, 3)]),
        run("columns-1", [(20, 5.25), (40, 4.5), (60, 3.5), (100, 3.5)], mode: .columns),
        run("dense-2", [(20, 4), (60, 3), (100, 2)]),
        run("columns-2", [(20, 4.25), (40, 4), (60, 2.5), (90, 2)], mode: .columns),
      ],
      configurations: [
        configuration(1, .dense), configuration(1, .columns), configuration(2, .dense),
        configuration(2, .columns),
      ])
  }

  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = try TemporaryFolder()
    try withExtendedLifetime(folder) { try body(folder.path) }
  }

  // MARK: Distance

  @Test func distancesAreOfMeansWhereAllRunsWereEvaluated() throws {
    // 40 000 tokens lack dense-2, 90 000 all but columns-2, and 100 000 columns-2.
    #expect(seeds.distances.count == 1)
    let columns = try #require(seeds.distances.first)
    #expect(columns.name == "columns" && columns.runs == [1, 3])
    #expect(columns.points.map(\.tokens) == [20_000, 60_000])
    #expect(columns.points.map(\.loss) == [0.25, -0.25])
  }

  /// Seeds matter more than recipes: one run is compared with its twin, not with the mean of all seeds.
  @Test func distancesAreToRunsOfTheSameSeeds() throws {
    func distance(seeds: [Int]) throws -> [Double] {
      let dense = [run("dense-1", [(50, 4), (100, 3)]), run("dense-2", [(50, 3), (100, 2)])]
      let columns = seeds.map { run("columns-\($0)", [(50, 3.5), (100, 2.25)], mode: .columns) }
      let comparison = RunComparison(
        dense + columns,
        configurations: [configuration(1, .dense), configuration(2, .dense)]
          + seeds.map { configuration($0, .columns) })
      return try #require(comparison.distances.first).points.map(\.loss)
    }
    #expect(try distance(seeds: [2]) == [0.5, 0.25])
    #expect(try distance(seeds: [1]) == [-0.5, -0.75])
    #expect(try distance(seeds: [3]) == [0, -0.25])
    #expect(try distance(seeds: [2, 3]) == [0, -0.25])
    #expect(try distance(seeds: [2, 2]) == [0, -0.25])
  }

  @Test func runsOfOneSeedHaveDistancesOfTheirOwn() {
    let comparison = RunComparison([
      run("dense", [(20, 5), (40, 4), (60, 3)]),
      run("a", [(20, 5.5), (40, 4.25)]),
      run("b", [(40, 3.5), (60, 3), (60, 3.25)]),
      run("elsewhere", [(30, 3)]),
    ])
    #expect(comparison.distances.map(\.name) == ["a", "b"])
    #expect(comparison.distances.map { $0.points.map(\.loss) } == [[0.5, 0.25], [-0.5, 0.25]])
  }

  @Test func nothingIsDrawnWithoutAnotherRecipeOrSharedTokens() {
    let title = "Held-out loss above the reference's, at equal tokens"
    func hasPlot(_ comparison: RunComparison) -> Bool {
      ComparisonPage(comparison, title: "t").html.contains(title)
    }
    let dense = run("dense-1", [(20, 5), (40, 4)])
    #expect(!hasPlot(RunComparison([dense])))
    #expect(!hasPlot(RunComparison([dense, run("b", [(30, 5), (50, 4)])])))
    #expect(!hasPlot(RunComparison([dense, run("b", [])])))
    #expect(
      !hasPlot(
        RunComparison(
          [dense, run("dense-2", [(20, 4), (40, 3)])],
          configurations: [configuration(1, .dense), configuration(2, .dense)])))
    // The first recipe that was evaluated is no reference when the first run was not.
    #expect(
      RunComparison(
        [run("a", []), run("b-1", [(20, 4)]), run("b-2", [(20, 5)]), run("c", [(20, 3)])],
        configurations: [
          configuration(1, .dense), configuration(1, .columns), configuration(2, .columns),
          configuration(1, .paper),
        ]
      ).distances.isEmpty)
    #expect(hasPlot(RunComparison([dense, run("b", [(30, 5), (40, 4)])])))
  }

  @Test func theLineOfTheReferenceLiesAtZero() throws {
    try inFolder { folder in
      try ComparisonPlots(seeds).write(to: folder)
      let svg = try String(contentsOfFile: folder + "/distance.svg", encoding: .utf8)
      let level = try #require(values("y1", of: "line class=\"level\"", in: svg).first)
      let heights = values("cy", of: "circle", in: svg)
      // A quarter of a nat above and below; coordinates have one decimal.
      try #require(heights.count == 2)
      #expect(abs((heights[0] + heights[1]) / 2 - level) < 0.11)
      #expect(heights[0] < level - 20 && heights[1] > level + 20)
      // Below the legend's only row.
      #expect(heights[0] > 34 + 18)
    }
  }

  // MARK: Files

  @Test func everyPlotIsAFileThatStandsAlone() throws {
    try inFolder { folder in
      var curves = [
        run("<b> & \"c\"", [(20, 5), (40, 4)]),
        run("other", [(20, 5), (40, 4)], mode: .columns),
      ]
      curves[1].energies = try energies(in: folder + "/run")
      let path = folder + "/a/plots"
      let names = try ComparisonPlots(RunComparison(curves)).write(to: path)
      let expected = [
        "distance.svg", "energy.svg", "speed.svg", "tokens.svg", "training-loss.svg",
        "wall-clock.svg",
      ]
      #expect(names.sorted() == expected)
      // Nothing else: no temporary file is left.
      #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == expected)
      for name in names {
        let svg = try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
        #expect(unclosed(svg) == [], "\(name)")
        #expect(
          svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"380\" "))
        #expect(svg.contains("<rect class=\"ground\" width=\"760\" height=\"380\"/>"))
        #expect(!svg.contains("var(") && !svg.contains("<b>"))
        // Every class has its rule, and no colour is there for nothing.
        for used in classes(svg) {
          #expect(svg.contains(".\(used) {") || svg.contains(".\(used), "), "\(used)")
        }
        #expect(!svg.contains(".stroke2"))
      }
      // Again, over what is there.
      #expect(try ComparisonPlots(RunComparison(curves)).write(to: path) == names)
    }
  }

  @Test func filesHaveTheColoursOfThePage() throws {
    try inFolder { folder in
      try ComparisonPlots(seeds).write(to: folder)
      let page = ComparisonPage(seeds, title: "t").html
      let colour = try #require(rule(".stroke1", in: page))
      for name in ["tokens", "distance", "speed"] {
        let svg = try String(contentsOfFile: "\(folder)/\(name).svg", encoding: .utf8)
        #expect(rule(".stroke1", in: svg) == colour)
      }
      #expect(page.contains("--ink: #") && !page.contains("var(--)"))
    }
  }

  /// Seeds of a recipe share a name in the legend and what is shaded.
  @Test func seedsOfARecipeAreNamedAndShadedOnce() throws {
    try inFolder { folder in
      try ComparisonPlots(seeds).write(to: folder)
      let svg = try String(contentsOfFile: folder + "/tokens.svg", encoding: .utf8)
      #expect(svg.components(separatedBy: ">columns</text>").count - 1 == 2)  // With its rim.
      #expect(!svg.contains(">columns-1</text>") && svg.contains("<title>columns-1</title>"))
      #expect(svg.components(separatedBy: "class=\"band").count - 1 == 1)
    }
  }

  @Test func aFileInTheFoldersPlaceIsNamed() throws {
    try inFolder { folder in
      let path = folder + "/plots"
      try "mine".write(toFile: path, atomically: true, encoding: .utf8)
      for place in [path, path + "/deeper"] {
        let error = #expect(throws: (any Error).self) {
          try ComparisonPlots(seeds).write(to: place)
        }
        #expect("\(try #require(error))".contains("cannot make the folder '\(path)': "))
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
    }
  }

  // MARK: Helpers

  /// Numbers of an attribute of elements that begin in a way.
  private func values(_ attribute: String, of element: String, in svg: String) -> [Double] {
    svg.components(separatedBy: "<" + element).dropFirst().compactMap {
      $0.components(separatedBy: " \(attribute)=\"").dropFirst().first?.prefix { $0 != "\"" }
    }.compactMap { Double($0) }
  }

  /// Names of classes in use.
  private func classes(_ svg: String) -> Set<String> {
    Set(
      svg.components(separatedBy: "class=\"").dropFirst().flatMap {
        $0.prefix { $0 != "\"" }.split(separator: " ").map(String.init)
      })
  }

  /// What CSS says of a class.
  private func rule(_ selector: String, in text: String) -> Substring? {
    text.components(separatedBy: selector + " {").dropFirst().first?.prefix { $0 != "}" }
  }

  /// Measurements as a run's metrics have them.
  private func energies(in folder: String) throws -> [RunCurves.Energy] {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let run = RunFolder(folder)
    try """
    {"kind":"step","step":1,"loss":5.5,"norm":1,"rate":1,"tokens":8,"seconds":0.5,"tokensPerSecond":16,"mode":"columns","skipped":false}
    {"kind":"layer","step":1,"layer":0,"energyKept":0.9,"nonzeroShare":0.5,"density":0.1,"deadNeurons":0}

    """.write(toFile: run.metricsPath, atomically: true, encoding: .utf8)
    return try RunCurves(run, name: "x").energies
  }

  /// What keeps a text from being XML with one root: elements left open, or the place of a mistake.
  /// Not FoundationXML, which would make every test need libxml2.
  private func unclosed(_ xml: String) -> [String] {
    let tag = #/<(/?)([A-Za-z]+)((?: [A-Za-z0-9:-]+="[^"<]*")*) ?(/?)>/#
    var open: [String] = []
    var roots = 0
    var rest = xml[...]
    while let bracket = rest.firstIndex(of: "<") {
      guard let match = rest[bracket...].prefixMatch(of: tag) else {
        return ["mistake at \(rest[bracket...].prefix(40))"]
      }
      let name = String(match.2)
      if match.1 == "/" {
        guard open.popLast() == name else { return ["</\(name)> closes nothing"] }
      } else {
        if open.isEmpty { roots += 1 }
        if match.4.isEmpty { open.append(name) }
      }
      rest = rest[match.range.upperBound...]
    }
    let bare = xml.replacing(#/&(amp|lt|gt|quot);/#, with: "")
    if bare.contains("&") { return ["a bare &"] }
    return roots == 1 ? open : ["\(roots) roots"]
  }
}
