import ArgumentParser
import Compute
import FeedForward

/// The feed-forward network alone: forward and backward; routing, selection and the norm before it,
/// which puts rows in order, included.
struct BenchFeedForward: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ffn",
    abstract: "One feed-forward network, forward and backward, its norm's forward pass included.",
    discussion: """
      Weights and tokens are made up. By default every token is one of --topics directions plus \
      --spread times as much noise, and a twelfth of the neurons leans towards each topic, so that \
      routed neighbours want mostly the same neurons, as they do in training, where 0.14 to 0.19 \
      of a block's list is new. With --inputs random neurons are random and lists change nearly \
      so: the worst case for weight gradients; --all measures both. 'List change', the share of a \
      block's list that the block before did not keep, and 'energy kept', on tokens that had no \
      say in the choice, are measured beside the times.
      """)

  @OptionGroup var machine: BackendOptions
  @Option(help: "T, tokens.") var tokens = 4096
  @Option(help: "d, model width.") var width = 768
  @Option(help: "f, neurons.") var hidden = 3072
  @Option(help: "V, tokens of a block.") var block = 128
  @Option(help: "Samples of each block.") var samples = 8
  @Option(help: "Clusters that tokens are routed by; 0 for none.") var clusters = 48
  @Option(help: "Densities to try, separated by commas.") var densities = "0.0625,0.125,0.25"
  @Option(help: "Rounds over all variants.") var rounds = 7
  @Option(help: "What is drawn: topics or random.") var inputs = "topics"
  @Option(help: "Topics of tokens; 0 for one per eight blocks.") var topics = 0
  @Option(help: "Noise of a token over its topic.") var spread = 1.0
  @Flag(help: "One JSON object instead of a table.") var json = false
  @Flag(help: "Also how long each operation of a variant takes.") var parts = false
  @Flag(help: "Also columns chosen by products of 8-bit factors.") var eightBits = false
  @Flag(help: "Also exact selection, 2:4 weights, 8 bits, the paper's recipe, and random inputs.")
  var all = false

  func validate() throws {
    let sizes = [("tokens", tokens), ("width", width), ("hidden", hidden), ("rounds", rounds)]
    for (name, value) in sizes where value < 1 {
      throw ValidationError("--\(name) is \(value); it must be at least 1")
    }
    if !["topics", "random"].contains(inputs) {
      throw ValidationError("--inputs is '\(inputs)'; it must be topics or random")
    }
    if topics < 0 || topics > 4096 {
      throw ValidationError("--topics is \(topics); it must be from 0 to 4096")
    }
    if !(spread >= 0 && spread <= 100) {
      throw ValidationError("--spread is \(spread); it must be from 0 to 100")
    }
  }

  func run() throws {
    let backend = try machine.open()
    var draws: [FeedForwardInputs.Draw] = []
    if inputs == "topics" {
      let count = topics > 0 ? topics : max(2, tokens / max(1, block) / 8)
      draws.append(.topics(count, spread: spread))
    }
    if inputs == "random" || all { draws.append(.random) }
    let headline =
      "Norm and feed-forward network, forward and backward: T \(tokens), d \(width), f \(hidden), "
      + "V \(block), \(samples) samples, \(clusters) clusters"
    var results: [(draw: FeedForwardInputs.Draw, rows: [FeedForwardRow])] = []
    for draw in draws { results.append((draw, try measure(draw, on: backend))) }
    if json {
      let report = JSONReport(
        benchmark: headline + "; " + draws.map(\.description).joined(separator: ", then "),
        machine: backend.summary)
      let isOne = results.count == 1
      return print(
        report.text(
          results.flatMap { draw, rows in
            rows.map { $0.fields(suffix: isOne ? "" : ", " + draw.description) }
          }))
    }
    print(headline)
    print(backend.summary)
    for (draw, rows) in results {
      print("\nDrawn: \(draw.description)\n" + FeedForwardTable.text(rows, flops: flops))
      if parts { for row in rows { print("\n" + FeedForwardTable.parts(row)) } }
    }
  }

  /// Of a dense forward and backward pass.
  private var flops: Double { 12 * Double(tokens) * Double(width) * Double(hidden) }

  /// All variants on one draw.
  private func measure(
    _ draw: FeedForwardInputs.Draw, on backend: any Backend
  ) throws -> [FeedForwardRow] {
    let times = OperationTimes(backend)
    let shape = FeedForwardShape(
      tokens: tokens, width: width, hiddenWidth: hidden, layers: 1,
      storage: backend.storage)
    let input = try FeedForwardInputs(draw, shape, on: times)
    var stacks: [(name: String, stack: FeedForwardStack)] = []
    for (name, mode, configuration) in try variants() {
      let problems = configuration.problems(width: width, hiddenWidth: hidden, layers: 1)
      if let first = problems.first { throw CleanError(first) }
      stacks.append((name, try input.stack(mode, configuration, shape, on: times)))
    }
    let timer = try InterleavedTimer(
      stacks.map { name, stack in
        InterleavedTimer.Variant(name: name) {
          stack.weightsChanged()
          try input.forward(stack)
          try input.backward(stack)
        }
      }, on: backend, rounds: rounds)
    return try stacks.map { name, stack in
      stack.collectStatistics()
      try input.forward(stack)
      let sparsity = stack.takeStatistics()?.layers.first
      return FeedForwardRow(
        name: name, seconds: timer.seconds[name] ?? [],
        timesDense: timer.ratio(of: name, to: "dense"), keptBytes: stack.savedBytesPerLayer,
        sparsity: stack.mode == .dense ? nil : sparsity,
        parts: parts || json ? try measure(stack, input, times) : [])
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
        throw CleanError("--densities has '\(text)', which is not a number")
      }
      configuration.density = density
      list.append(("columns sampled \(text)", .columns, configuration))
      if all || eightBits {
        var sampled = configuration
        sampled.eightBitChoice = true
        list.append(("columns sampled \(text), by 8 bits", .columns, sampled))
      }
      guard all else { continue }
      var exact = configuration
      exact.selection = .exact
      list.append(("columns exact \(text)", .columns, exact))
      exact.sparseWeights = .up
      list.append(("columns exact \(text), 2:4 U", .columns, exact))
      exact.eightBitChoice = true
      list.append(("columns exact \(text), 2:4 U, by 8 bits", .columns, exact))
      exact.sparseWeights = nil
      list.append(("columns exact \(text), by 8 bits", .columns, exact))
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
