import ArgumentParser
import Training

/// Loss against tokens and wall clock, beside a reference run.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares runs: loss against tokens and time, and the time to the first run's loss.",
    discussion: """
      The first run is the reference. Losses are dense evaluations on held-out text; times are \
      those spent in training steps. Runs that differ in their seeds only are averaged as well. \
      Training losses are compared with the reference's run of the same seed, step by step: they \
      tell recipes apart sooner than a few evaluations, but a sparse step's loss is that of its \
      masks.

        krait compare runs/dense runs/columns --html comparison.html --svg plots
        krait compare runs/dense-* runs/columns-* --steps 1250-1350
      """)

  @Argument(help: "Run folders, the reference first.", completion: .directory)
  var runs: [String]

  @Option(
    help: "Write a page with plots here; it needs no other file.",
    completion: .file(extensions: ["html"]))
  var html: String?

  @Option(
    help: "Write each plot into this folder as well, as a file that needs no other.",
    completion: .directory)
  var svg: String?

  @Option(
    help: ArgumentHelp(
      "Steps whose training losses are compared; default: the last tenth of those that both runs "
        + "have done.", valueName: "first-last"))
  var steps: String?

  @Option(help: "Title of the page.") var title: String = "Comparison of runs"

  func validate() throws {
    if runs.isEmpty { throw ValidationError("give the folders of one or more runs") }
    if let twice = Set(runs).count < runs.count
      ? runs.first(where: { run in
        runs.count { $0 == run } > 1
      }) : nil
    {
      throw ValidationError("'\(twice)' is given twice")
    }
    _ = try trainingSteps()
  }

  private func trainingSteps() throws -> ClosedRange<Int>? {
    guard let steps else { return nil }
    let ends = steps.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 1, first <= last else {
      throw ValidationError("--steps is '\(steps)'; give two steps, for example 1250-1350")
    }
    return first...last
  }

  func run() throws {
    let comparison = try RunComparison(folders: runs, trainingSteps: try trainingSteps())
    print(ComparisonText(comparison).text)
    if let html {
      try ComparisonPage(comparison, title: title).write(to: html)
      print("\npage with plots: \(html)")
    }
    if let svg {
      let names = try ComparisonPlots(comparison).write(to: svg)
      print("\nplots in \(svg): \(names.joined(separator: ", "))")
    }
  }
}
