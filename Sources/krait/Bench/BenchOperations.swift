import ArgumentParser
import Compute
import OperationCases

/// Every operation at a training size: time, rates, and how close to what the machine can do.
struct BenchOperations: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operations",
    abstract: "Every operation; the six products dense and sparse side by side.",
    discussion: """
      The peak is measured in the same run: the fastest dense product of the table, and a copy. \
      An operation's share of it is the time that its arithmetic or its bytes need at the peak, \
      whichever is more, over the time it took. Bytes count what must move at least once; what \
      stays in a cache can exceed 100 %.
      """)

  @OptionGroup var machine: BackendOptions
  @Option(help: "T, tokens.") var tokens = 2048
  @Option(help: "d, model width.") var width = 768
  @Option(help: "f, neurons.") var hidden = 3072
  @Option(help: "V, tokens of a block.") var block = 128
  @Option(help: "Share of neurons that a block keeps.") var density = 0.125
  @Option(help: "Tokens of a sequence, for attention.") var sequence = 512
  @Option(help: "Rounds over all operations.") var rounds = 5
  @Flag(help: "Only the six products.") var products = false
  @Flag(help: "One JSON object instead of tables.") var json = false

  func validate() throws {
    let sizes = [
      ("tokens", tokens), ("width", width), ("hidden", hidden), ("block", block),
      ("sequence", sequence), ("rounds", rounds),
    ]
    for (name, value) in sizes where value < 1 {
      throw ValidationError("--\(name) is \(value); it must be at least 1")
    }
    if width % 64 != 0 || hidden % 4 != 0 {
      throw ValidationError(
        "--width is \(width) and --hidden is \(hidden); they must be multiples of 64 and of 4")
    }
    if tokens % sequence != 0 {
      throw ValidationError("--tokens is \(tokens), which sequences of \(sequence) do not divide")
    }
    if !(density > 0 && density <= 1) || hidden > 65536 {
      throw ValidationError(
        "--density is \(density) of \(hidden) neurons; it must be above 0, at most 1, of at most "
          + "65536 neurons")
    }
  }

  func run() throws {
    let backend = try machine.open()
    let kept = max(1, min(hidden, Int((Double(hidden) * density).rounded())))
    let size = CaseList.Size(
      tokens: tokens, width: width, hidden: hidden, kept: kept, blockTokens: block,
      sequence: sequence)
    let headline =
      "Operations: T \(tokens), d \(width), f \(hidden), V \(block), K \(kept), "
      + "sequences of \(sequence)"

    let pairs = CaseList.products(size)
    var jobs: [Job] = []
    for pair in pairs {
      jobs.append(Job("dense \(pair.name)", pair.dense))
      jobs.append(Job("sparse \(pair.name)", pair.sparse))
    }
    if !products { jobs += CaseList.large(size).map { Job($0.operation, $0) } }
    let timings = try time(jobs, on: backend)
    if json {
      let report = JSONReport(benchmark: headline, machine: backend.summary)
      return print(
        report.text(
          jobs.map {
            [("name", .text($0.name)), ("seconds", .numbers(timings.seconds[$0.name] ?? []))]
          }))
    }
    print(headline)
    print(backend.summary)
    func seconds(_ name: String) -> Double { timings.median(name) }

    let peakFlops = pairs.map { $0.dense.flops / seconds("dense \($0.name)") }.max() ?? .nan
    let peakBytes = copyBytes / seconds(copyName)
    print(
      "Peak: \(fixed(peakFlops * 1e-9, 0)) GFLOP/s (the fastest dense product), "
        + "\(fixed(peakBytes * 1e-9, 1)) GB/s (a copy of \(Int(copyBytes) >> 21) MiB)\n")

    var table = TextTable([
      "product", "dense ms", "GFLOP/s", "sparse ms", "GFLOP/s", "of peak", "times dense",
    ])
    for pair in pairs {
      let (dense, sparse) = (seconds("dense \(pair.name)"), seconds("sparse \(pair.name)"))
      table.add([
        pair.name, fixed(dense * 1e3, 2), fixed(pair.dense.flops / dense * 1e-9, 0),
        fixed(sparse * 1e3, 2), fixed(pair.sparse.flops / sparse * 1e-9, 0),
        percent(pair.sparse.flops / sparse / peakFlops),
        fixed(timings.ratio(of: "sparse \(pair.name)", to: "dense \(pair.name)"), 2),
      ])
    }
    print(table.text)
    if products { return }
    print("")
    var others = TextTable(["operation", "ms", "GFLOP/s", "GB/s", "of peak", "case"])
    for job in jobs.dropFirst(2 * pairs.count) {
      let time = seconds(job.name)
      let needed = max(job.work.flops / peakFlops, job.work.bytes / peakBytes)
      others.add([
        job.name, fixed(time * 1e3, 3), fixed(job.work.flops / time * 1e-9, 1),
        fixed(job.work.bytes / time * 1e-9, 1), percent(needed / time), job.work.detail,
      ])
    }
    print(others.text)
  }

  /// A case under the name it is timed by.
  private struct Job {
    let name: String
    let work: OperationCase

    init(_ name: String, _ work: OperationCase) {
      self.name = name
      self.work = work
    }
  }

  private var copyName: String { "copy" }
  /// 64 MiB read and 64 MiB written: more than the caches of most machines.
  private var copyBytes: Double { 2 * 67_108_864 }

  private func time(_ jobs: [Job], on backend: any Backend) throws -> InterleavedTimer {
    let arena = try Arena(byteCount: Int(copyBytes), on: backend, purpose: "copy")
    let source = arena.take(rows: 1024, columns: 16384)
    let target = arena.take(rows: 1024, columns: 16384)
    try backend.zero(source)
    var variants = [
      InterleavedTimer.Variant(name: copyName) {
        try backend.copy(from: source, to: target)
      }
    ]
    for job in jobs {
      let memory = try BenchMemory(job.work, on: backend)
      variants.append(
        InterleavedTimer.Variant(name: job.name) {
          try job.work.run(backend, memory.views)
        })
    }
    return try InterleavedTimer(variants, on: backend, rounds: rounds)
  }

  private func percent(_ share: Double) -> String { fixed(100 * share, 0) + " %" }
}
