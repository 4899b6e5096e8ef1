import Transformer

/// Text and JSON about the variants of `krait bench step`.
struct StepReport {
  let variants: [StepVariant]
  let headline: String
  let machine: String

  private static var parts: [(name: String, figure: KeyPath<StepVariant.Measurement, Double>)] {
    [
      ("feed-forward", \.pass.feedForward), ("attention", \.pass.attention),
      ("projections", \.pass.projections), ("output, loss", \.pass.output),
      ("optimizer", \.optimizer), ("other", \.pass.other),
    ]
  }

  /// The tables.
  var text: String {
    var speed = TextTable(
      ["variant", "ms per step", "tokens/s", "times dense", "processor s", "times dense"])
    var places = TextTable(["milliseconds of a step"] + StepReport.parts.map(\.name))
    var memory = TextTable(["MiB", "FFN activations", "everything"])
    for variant in variants {
      let seconds = variant.median(\.seconds)
      speed.add([
        variant.name, fixed(seconds * 1e3, 1), fixed(Double(variant.tokens) / seconds, 0),
        fixed(ratio(variant, \.seconds), 2), fixed(variant.median(\.processorSeconds), 2),
        fixed(ratio(variant, \.processorSeconds), 2),
      ])
      places.add(
        [variant.name] + StepReport.parts.map { fixed(variant.median($0.figure) * 1e3, 1) })
      memory.add([
        variant.name, fixed(Double(savedBytes(variant)) / 1_048_576, 1),
        variant.bytes.map { fixed(Double($0) / 1_048_576, 1) } ?? "-",
      ])
    }
    return [headline, machine, "", speed.text, "", places.text, "", memory.text]
      .joined(separator: "\n") + (peak.map { "\n\n" + $0 } ?? "")
  }

  /// One JSON object for programs: seconds of every step, medians of the rest.
  var json: String {
    JSONReport(benchmark: headline, machine: machine).text(
      variants.map { variant in
        [
          ("name", .text(variant.name)), ("tokens", .integer(variant.tokens)),
          ("seconds", .numbers(variant.measurements.map(\.seconds))),
          ("processorSeconds", .numbers(variant.measurements.map(\.processorSeconds))),
          ("parts", .object(StepReport.parts.map { ($0.name, variant.median($0.figure)) })),
          ("feedForwardActivationBytes", .integer(savedBytes(variant))),
          ("allocatedBytes", .integer(variant.bytes)),
        ]
      })
  }

  private let layers: Int

  /// The most memory that all variants held together.
  private let peak: String?

  init(
    _ variants: [StepVariant], layers: Int, headline: String, machine: String, peak: String?
  ) {
    self.peak = peak
    self.variants = variants
    self.layers = layers
    self.headline = headline
    self.machine = machine
  }

  private func savedBytes(_ variant: StepVariant) -> Int { variant.savedBytesPerLayer * layers }

  /// The median over rounds of the first variant's figure over this one's.
  private func ratio(
    _ variant: StepVariant, _ figure: KeyPath<StepVariant.Measurement, Double>
  ) -> Double {
    guard let base = variants.first else { return .nan }
    return StepVariant.median(
      zip(base.measurements, variant.measurements).map {
        $0[keyPath: figure] / $1[keyPath: figure]
      })
  }
}
