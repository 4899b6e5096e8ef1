import ArgumentParser

/// Dense and sparse side by side, on this machine.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures dense and sparse side by side, on this machine.",
    discussion: """
      Every table comes from one process that runs the variants in turn, after a warm-up, and \
      shows medians. Ratios are what to quote; times depend on the machine and its mood.
      """,
    subcommands: [BenchAll.self, BenchFeedForward.self, BenchOperations.self, BenchStep.self],
    defaultSubcommand: BenchAll.self)
}
