import ArgumentParser
import Training

/// The command: one file per verb, no mathematics.
@main
struct Krait: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "krait",
    abstract: "Pre-trains Llama-like language models faster by making their feed-forward "
      + "networks sparse.",
    discussion: """
      A first run, on the built-in corpus, with the sparse recipe, on this machine:
        krait train

      A model of your own text:
        krait prepare books/ --output shards
        krait train --preset 124m --set data.train=shards --set run.name=books
        krait generate runs/books "Once upon a time"
        krait export runs/books --format hf exported

      Exit codes: 0 done; 1 something failed, the sentence says what; 2 the run ended because \
      loss or gradients stayed non-finite; 3 stopped by a signal after a checkpoint was written; \
      64 the command line is wrong.
      """,
    version: KraitVersion.text,
    subcommands: [
      Train.self, Prepare.self, Evaluate.self, Generate.self, Export.self, Compare.self, Plan.self,
      Bench.self, Selftest.self, Doctor.self, Inspect.self,
    ])

  /// A word that is no verb gets the nearest one; everything else is the parser's.
  static func main() {
    let words = CommandLine.arguments.dropFirst()
    let verbs = configuration.subcommands.map { $0._commandName } + ["help"]
    if let word = words.first, !word.hasPrefix("-"), !verbs.contains(word) {
      let hint =
        NearestName.of(word, among: verbs).map { "did you mean 'krait \($0)'?" }
        ?? "there are \(verbs.joined(separator: ", "))"
      exit(withError: ValidationError("there is no verb '\(word)'; \(hint)"))
    }
    main(Array(words))
  }
}

/// The version that `--version`, checkpoints and exports state.
enum KraitVersion {
  static let text = "0.1.0"
}
