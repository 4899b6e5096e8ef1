import ArgumentParser
import Compute
import FeedForward

/// The feed-forward network alone: forward and backward, routing and selection included.
struct BenchFeedForward: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ffn",
    abstract: "One feed-forward network, forward and backward, everything included.")

  @OptionGroup var machine: BackendOptions
  @Option(help: "T, tokens.") var tokens = 4096
  @Option(help: "d, model width.") var width = 768
  @Option(help: "f, neurons.") var hidden = 3072
  @Option(help: "V, tokens of a block.") var block = 128
  @Option(help: "Samples of each block.") var samples = 8
  @Option(help: "Clusters that tokens are routed by; 0 for none.") var clusters = 48
  @Option(help: "Densities to try, separated by commas.") var densities = "0.0625,0.125,0.25"
  @Option(help: "Rounds over all variants.") var rounds = 7
  @Flag(help: "One JSON object instead of a table.") var json = false
  @Flag(help: "Also how long each operation of a variant takes.") var parts = false
  @Flag(help: "Also exact selection, 2:4 weights and the paper's recipe.") var all = false

  func validate() throws {
    let sizes = [("tokens", tokens), ("width", width), ("hidden", hidden), ("rounds", rounds)]
    for (name, value) in sizes where value < 1 {
      throw ValidationError("--\(name) is \(value); it must be at least 1")
    }
  }

  func run() throws {
    let backend = try machine.open()
    let times = OperationTimes(backend)
    let shape = FeedForwardShape(
      tokens: tokens, width: width, hiddenWidth: hidden, layers: 1,
      storage: backend.storage)
    let input = try FeedForwardInputs(shape, on: backend)
    var stacks: [(name: String, stack: FeedForwardStack)] = []
    for (name, mode, configuration) in try variants() {
      let problems = configuration.problems(width: width, hiddenWidth: hidden, layers: 1)
      if let first = problems.first { throw ValidationError(first) }
      stacks.append((name, try input.stack(mode, configuration, shape, on: times)))
    }
    let headline =
      "Feed-forward network, forward and backward: T \(tokens), d \(width), f \(hidden), "
      + "V \(block), \(samples) samples, \(clusters) clusters"
    let timer = try InterleavedTimer(
      stacks.map { name, stack in
        InterleavedTimer.Variant(name: name) {
          stack.weightsChanged()
          try input.forward(stack)
          try input.backward(stack)
        }
      }, on: backend, rounds: rounds)
    var partsByName: [String: [OperationTimes.Part]] = [:]
    if parts || json {
      for (name, stack) in stacks { partsByName[name] = try measure(stack, input, times) }
    }
    if json {
      let report = JSONReport(benchmark: headline, machine: backend.summary)
      return print(
        report.text(
          stacks.map {
            [
              ("name", .text($0.name)), ("seconds", .numbers(timer.seconds[$0.name] ?? [])),
              (
                "parts",
                .object((partsByName[$0.name] ?? []).map { ($0.name, $0.seconds.median) })
              ),
            ]
          }))
    }
    print(headline)
    print(backend.summary)
    let flops = 12 * Double(tokens) * Double(width) * Double(hidden)
    var table = TextTable(
      ["variant", "ms", "times dense", "GFLOP/s dense-equivalent", "kept MiB", "energy kept"])
    for (name, stack) in stacks {
      stack.collectStatistics()
      try input.forward(stack)
      let energy = stack.takeStatistics()?.layers.first?.energyKept ?? .nan
      let seconds = timer.median(name)
      table.add([
        name, fixed(seconds * 1e3, 3), fixed(timer.ratio(of: name, to: "dense"), 2),
        fixed(flops / seconds * 1e-9, 0),
        fixed(Double(stack.savedBytesPerLayer) / 1_048_576, 1), fixed(energy, 3),
      ])
    }
    print(table.text)
    guard parts else { return }
    for (name, _) in stacks {
      let list = partsByName[name] ?? []
      let whole = list.reduce(0) { $0 + $1.seconds.median }
      var table = TextTable([name, "ms", "share"])
      for part in list {
        let seconds = part.seconds.median
        table.add([part.name, fixed(seconds * 1e3, 3), fixed(100 * seconds / whole, 1) + " %"])
      }
      table.add(["all", fixed(whole * 1e3, 3), ""])
      print("\n" + table.text)
    }
  }

  /// The operations of a forward and a backward pass, each with its seconds.
  private func measure(
    _ stack: FeedForwardStack, _ input: FeedForwardInputs, _ times: OperationTimes
  ) throws -> [OperationTimes.Part] {
    var list: [OperationTimes.Part] = []
    for (name, body) in [("forward", input.forward), ("backward", input.backward)] {
      let parts = try times.parts(passes: max(5, rounds)) { try body(stack) }
      list += parts.enumerated().map { index, part in
        OperationTimes.Part(name: "\(name) \(index + 1) \(part.name)", seconds: part.seconds)
      }
    }
    return list
  }

  private func variants() throws -> [(String, FeedForwardMode, FeedForwardConfiguration)] {
    var configuration = FeedForwardConfiguration()
    configuration.blockTokens = block
    configuration.samples = samples
    configuration.clusters = clusters
    var list = [("dense", FeedForwardMode.dense, configuration)]
    for text in densities.split(separator: ",") {
      guard let density = Double(text) else {
        throw ValidationError("--densities has '\(text)', which is not a number")
      }
      configuration.density = density
      list.append(("columns sampled \(text)", .columns, configuration))
      guard all else { continue }
      var exact = configuration
      exact.selection = .exact
      list.append(("columns exact \(text)", .columns, exact))
      exact.sparseWeights = .up
      list.append(("columns exact \(text), 2:4 U", .columns, exact))
    }
    if all {
      var paper = configuration
      paper.mode = .paper
      paper.blockTokens = min(block, 64)
      list.append(("paper 2:4 U, V:N:M \(paper.blockTokens):2:16", .paper, paper))
    }
    return list
  }
}
