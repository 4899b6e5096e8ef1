import Transformer

/// Text and JSON about the variants of `krait bench step`.
struct StepReport {
  let variants: [StepVariant]
  let headline: String
  let machine: String
  let work: StepWork
  let rate: MeasuredMatrixRate

  private static var parts: [(name: String, figure: KeyPath<StepVariant.Places, Double>)] {
    [
      ("feed-forward", \.pass.feedForward), ("attention", \.pass.attention),
      ("projections", \.pass.projections), ("output, loss", \.pass.output),
      ("optimizer", \.optimizer), ("other", \.pass.other), ("sum", \.total),
    ]
  }

  /// The tables.
  var text: String {
    var speed = TextTable(
      ["variant", "ms per step", "tokens/s", "times dense", "processor s", "times dense"])
    var places = TextTable(["milliseconds of a step"] + StepReport.parts.map(\.name))
    let (scale, unit) = rate.isOnGPU ? (1e-12, "TFLOP") : (1e-9, "GFLOP")
    var rates = TextTable(
      ["model FLOPs", unit + "/s", "% of the matrix rate"]
        + (rate.isOnGPU ? ["% of 989 TFLOP/s (H100, bfloat16)"] : []))
    var memory = TextTable(["MiB", "FFN activations", "everything"])
    for variant in variants {
      let seconds = variant.median(\.seconds)
      speed.add([
        variant.name, fixed(seconds * 1e3, 1), fixed(Double(variant.tokens) / seconds, 0),
        fixed(ratio(variant, \.seconds), 2), fixed(variant.median(\.processorSeconds), 2),
        fixed(ratio(variant, \.processorSeconds), 2),
      ])
      places.add(
        [variant.name]
          + StepReport.parts.map { part in
            fixed(variant.median(place: { $0[keyPath: part.figure] }) * 1e3, 2)
          })
      rates.add(
        [
          variant.name, fixed(work.flops / seconds * scale, 1),
          fixed(100 * work.flops / seconds / rate.flops, 1),
        ] + (rate.isOnGPU ? [fixed(100 * work.flops / seconds / 989e12, 1)] : []))
      memory.add([
        variant.name, fixed(Double(variant.feedForwardBytes) / 1_048_576, 1),
        variant.bytes.map { fixed(Double($0) / 1_048_576, 1) } ?? "-",
      ])
    }
    let matrix =
      "Matrix rate of this run: \(fixed(rate.flops * scale, 1)) \(unit)/s (\(rate.detail)); a dense "
      + "step needs \(fixed(work.flops * scale, 3)) \(unit)"
    return [
      headline, machine, turns, speed.text, "", places.text + limit, "", matrix, "", rates.text,
      "", memory.text,
    ].joined(separator: "\n") + (peak.map { "\n\n" + $0 } ?? "")
  }

  /// How the variants came to run; then an empty line.
  private var turns: String {
    guard variants.count > 1 else { return "" }
    let uncounted = warmUps == 1 ? "step after every change does" : "\(warmUps) steps do"
    return "One model whose steps change between dense and sparse; the first \(uncounted) not "
      + "count.\n"
  }

  /// What a step would be whose feed-forward networks cost nothing; empty without a dense one.
  private var limit: String {
    guard let dense else { return "" }
    let rest = dense.median(place: \.total) / dense.limit
    return "\n\nWith a free feed-forward network a step would take \(fixed(rest * 1e3, 2)) ms: "
      + "\(fixed(dense.limit, 2)) times dense is the limit."
  }

  private var dense: StepVariant? { variants.first { $0.name == "dense" } }

  /// One JSON object for programs: seconds of every step, medians of the rest.
  var json: String {
    JSONReport(benchmark: headline, machine: machine).text(
      variants.map { variant in
        [
          ("name", .text(variant.name)), ("tokens", .integer(variant.tokens)),
          ("seconds", .numbers(variant.measurements.map(\.seconds))),
          ("processorSeconds", .numbers(variant.measurements.map(\.processorSeconds))),
          (
            "parts",
            .object(
              StepReport.parts.map { part in
                (part.name, variant.median(place: { $0[keyPath: part.figure] }))
              })
          ),
          ("modelFlops", .numbers([work.flops])), ("matrixRate", .numbers([rate.flops])),
          ("limitTimesDense", .numbers(dense.map { [$0.limit] } ?? [])),
          ("feedForwardActivationBytes", .integer(variant.feedForwardBytes)),
          ("allocatedBytes", .integer(variant.bytes)),
        ]
      })
  }

  /// The most memory that any variant held.
  private let peak: String?
  private let warmUps: Int

  init(
    _ variants: [StepVariant], headline: String, machine: String, work: StepWork,
    rate: MeasuredMatrixRate, peak: String?, warmUps: Int
  ) {
    self.peak = peak
    self.warmUps = warmUps
    self.variants = variants
    self.headline = headline
    self.machine = machine
    self.work = work
    self.rate = rate
  }

  /// The median over rounds of the first variant's figure over this one's.
  private func ratio(
    _ variant: StepVariant, _ figure: KeyPath<StepVariant.Measurement, Double>
  ) -> Double {
    guard let base = variants.first else { return .nan }
    return zip(base.measurements, variant.measurements)
      .map { $0[keyPath: figure] / $1[keyPath: figure] }.median
  }
}
