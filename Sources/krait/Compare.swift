import ArgumentParser
import Training

/// Loss against tokens and wall clock, beside a reference run.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares runs: loss against tokens and time, and the time to the first run's loss.",
    discussion: """
      The first run is the reference. Losses are dense evaluations on held-out text; times are \
      those spent in training steps. Runs that differ in their seeds only are averaged as well.

        krait compare runs/dense runs/columns --html comparison.html --svg plots
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
  }

  func run() throws {
    let comparison = try RunComparison(folders: runs)
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
