import ArgumentParser
import Foundation

/// What a file is and what it holds.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what a file is and what it holds.",
    discussion: """
      krait inspect shards/books_train_000000.bin    a token shard: llm.c, or Megatron's .bin
      krait inspect shards/tokenizer.json            a byte-level BPE tokenizer
      krait inspect tokenizer.json --encode FILE     the ids of a text
      krait inspect runs/tiny                        every checkpoint of a run, verified
      krait inspect runs/tiny/checkpoints/step-00000400
      krait inspect exported --values                a Hugging Face folder
      krait inspect tiny.gguf                        or a .safetensors file
      """)

  @Argument(help: "The file or folder.", completion: .file())
  var path: String
  @OptionGroup var options: InspectOptions

  /// Every kind of file that can be inspected; the first that recognises the path is asked.
  static var inspections: [any Inspection.Type] {
    [
      ShardInspection.self, TokenizerInspection.self, SafetensorsInspection.self,
      GGUFInspection.self, CheckpointInspection.self, RunInspection.self,
      HuggingFaceInspection.self,
    ]
  }

  func run() throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw CleanError("'\(path)' does not exist")
    }
    for inspection in Inspect.inspections where inspection.recognises(path) {
      try inspection.inspect(path, options)
      return
    }
    let kinds = Inspect.inspections.map { $0.kind }.joined(separator: "; ")
    throw CleanError("'\(path)' is nothing that can be inspected; what can: \(kinds)")
  }
}

/// What may be said about how to inspect; each kind of file reads what concerns it.
struct InspectOptions: ParsableArguments {
  @Option(help: "Shards: the most frequent tokens to list.") var top = 10
  @Option(help: "Shards: tokens of the first text to show.") var tokens = 100
  @Option(
    help: "Shards: bytes, or the tokenizer.json to show text with; default: the one beside them.",
    completion: .file(extensions: ["json"]))
  var tokenizer: String?
  @Flag(help: "Tensors: also the root mean square and the largest of their numbers.")
  var values = false

  @Option(
    help:
      "Tokenizers: print the ids of this file's text instead, and check that they decode to it.",
    completion: .file())
  var encode: String?
  @Option(help: "Tokenizers: the byte that ends each text of --encode; one line of ids for each.")
  var separator: Int?

  func validate() throws {
    if let separator, !(0...255).contains(separator) {
      throw ValidationError("--separator is \(separator); it must be a byte, 0 to 255")
    }
    if top < 0 { throw ValidationError("--top is \(top); it must be 0 or more") }
    if tokens < 0 { throw ValidationError("--tokens is \(tokens); it must be 0 or more") }
  }
}

/// One kind of file: how to recognise it, and what to print about it.
protocol Inspection {
  /// For people: `token shards (*.bin)`.
  static var kind: String { get }
  /// Whether an existing path looks like this kind, by its name or first bytes.
  static func recognises(_ path: String) -> Bool
  /// Prints what the file holds.
  ///
  /// - Throws: a sentence that says what is wrong with the file.
  static func inspect(_ path: String, _ options: InspectOptions) throws
}
