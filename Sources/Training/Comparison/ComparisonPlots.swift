import FeedForward
import Interchange

/// The plots of a comparison, each an SVG image.
public struct ComparisonPlots {
  private let comparison: RunComparison

  /// The plots of a comparison.
  public init(_ comparison: RunComparison) { self.comparison = comparison }

  /// Writes each plot into a file that needs no other, such as `wall-clock.svg`; the folder is made
  /// if it is missing, and files of the same names are replaced.
  ///
  /// - Returns: the names of the files.
  /// - Throws: a sentence naming the path that does not take them.
  @discardableResult
  public func write(to folder: String) throws -> [String] {
    try AtomicFile.makeFolder(folder)
    return try all.map { plot in
      let name = plot.name + ".svg"
      try AtomicFile.write(plot.file, to: "\(folder)/\(name)")
      return name
    }
  }

  /// The colour of a run: its own or, where recipes have several seeds, that of its recipe.
  func color(run: Int) -> Int { (recipe(run: run) ?? run) % PlotStyle.palette.count }

  /// Which group a run belongs to where recipes have several seeds.
  private func recipe(run: Int) -> Int? {
    comparison.hasSeeds ? comparison.groups.firstIndex { $0.runs.contains(run) } : nil
  }

  /// The plots that there is something to draw in.
  var all: [LinePlot] {
    let distances = comparison.distances
    let level =
      comparison.entries.count > 1
      ? comparison.target.map {
        LinePlot.Level(y: $0, name: "loss to reach: \(LinePlot.short($0))")
      } : nil
    let plots = [
      LinePlot(
        name: "wall-clock", title: "Held-out loss against wall clock",
        xLabel: "time in training steps", yLabel: "loss, nats per token",
        series: lines(marks: true) { $0.evaluations.map { ($0.seconds, $0.loss) } },
        level: level, formatX: { ProgressLine.duration($0) }, skipsStart: true),
      LinePlot(
        name: "tokens", title: "Held-out loss against tokens (sparse phases shaded)",
        xLabel: "tokens", yLabel: "loss, nats per token",
        series: lines(marks: true) { $0.evaluations.map { (Double($0.tokens), $0.loss) } },
        bands: bands, level: level, skipsStart: true),
      LinePlot(
        name: "distance", title: "Held-out loss above the reference's, at equal tokens",
        xLabel: "tokens", yLabel: "difference, nats per token",
        series: distances.map { distance in
          LinePlot.Series(
            name: distance.name, points: distance.points.map { (Double($0.tokens), $0.loss) },
            color: color(run: distance.runs[0]), marksPoints: true)
        },
        bands: bands, level: LinePlot.Level(y: 0, name: "the reference"), legendAbove: true),
      LinePlot(
        name: "training-loss", title: "Training loss, smoothed (flatters while sparse)",
        xLabel: "tokens", yLabel: "loss, nats per token",
        series: lines { ComparisonPlots.smoothed($0) }, bands: bands, skipsStart: true),
      LinePlot(
        name: "speed", title: "Speed", xLabel: "tokens", yLabel: "tokens per second",
        series: lines { run in
          ComparisonPlots.thinned(run.steps).map { (Double($0.tokens), $0.tokensPerSecond) }
        }, bands: bands, legendAbove: true),
      LinePlot(
        name: "energy", title: "Energy of the activations that sparse steps keep",
        xLabel: "tokens", yLabel: "share, mean over layers",
        series: lines(marks: true) { $0.energies.map { (Double($0.tokens), $0.kept) } }),
    ]
    return plots.filter { !$0.isEmpty }
  }

  private func lines(
    marks: Bool = false, _ points: (RunCurves) -> [(x: Double, y: Double)]
  ) -> [LinePlot.Series] {
    comparison.entries.enumerated().map { index, entry in
      LinePlot.Series(
        name: entry.curves.name, legend: recipe(run: index).map { comparison.groups[$0].name },
        points: points(entry.curves), color: color(run: index), marksPoints: marks)
    }
  }

  /// Sparse phases of all runs; those that seeds of a recipe share once, or many would be dark.
  private var bands: [LinePlot.Band] {
    let all = comparison.entries.enumerated().flatMap { index, entry in
      entry.curves.phases.filter { $0.mode != .dense }.map {
        LinePlot.Band(
          range: Double($0.tokens.lowerBound)...Double($0.tokens.upperBound),
          color: color(run: index))
      }
    }
    return all.enumerated().filter { !all[..<$0].contains($1) }.map(\.element)
  }

  /// An exponential mean over about 2 % of the run, at no more than 400 points.
  private static func smoothed(_ run: RunCurves) -> [(x: Double, y: Double)] {
    let weight = 1 / max(1, 0.02 * Double(run.steps.count))
    var mean: Double?
    let points = run.steps.compactMap { step -> (x: Double, y: Double)? in
      guard let loss = step.loss else { return nil }
      let next = mean.map { $0 + weight * (loss - $0) } ?? loss
      mean = next
      return (Double(step.tokens), next)
    }
    return thinned(points)
  }

  /// At most 400 of some elements, evenly spaced, the last one among them.
  private static func thinned<Element>(_ elements: [Element]) -> [Element] {
    let most = 400
    guard elements.count > most else { return elements }
    return (1...most).map { elements[$0 * elements.count / most - 1] }
  }
}
