import ArgumentParser

/// What `krait bench` does when nobody says more: both tables at sizes that take half a minute.
struct BenchAll: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "all",
    abstract: "The feed-forward network, then a whole step, at sizes that take half a minute.")

  @OptionGroup var machine: BackendOptions

  func run() throws {
    print(
      """
      1. The feed-forward network alone. 'dense' computes six products in full; 'columns sampled'
         keeps the given share of neurons for each block of tokens and skips the rest in all six.
         Routing, sampling and selection are included.

      """)
    var feedForward = try BenchFeedForward.parse([])
    feedForward.machine = machine
    feedForward.tokens = 2048
    feedForward.rounds = 5
    try feedForward.run()
    print(
      """

      2. A whole training step of a small model: what attention, the output and the optimizer leave
         of that. The wider the model, the larger the share of the feed-forward network.

      """)
    var step = try BenchStep.parse([])
    step.machine = machine
    step.layers = 4
    step.sequences = 2
    step.rounds = 5
    try step.run()
    print(
      """

      More: krait bench ffn --help, krait bench step --help; against PyTorch: Benchmarks/peers.
      """)
  }
}
