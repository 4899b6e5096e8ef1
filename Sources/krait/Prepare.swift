import ArgumentParser
import ComputeCPU
import Corpus
import Foundation
import Training

/// Text into token shards.
struct Prepare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turns text into token shards to train on.",
    discussion: """
      krait prepare books/ --output shards                       bytes as tokens
      krait prepare wiki.jsonl --output shards --tokenizer tokenizer.json
      krait prepare src/ --extension c,h --output shards

      A file is a document, or, with --separator, several; a line of a .jsonl file is one. The \
      end-of-text token goes before each. Shards are llm.c's: <name>_train_000000.bin and so on; \
      those to evaluate on, <name>_val_*.bin. The tokenizer is put beside them, where krait train \
      --set data.train=DIR finds it. The same input gives the same shards, whatever the number of \
      threads; on any error nothing is left behind.
      """)

  @Argument(help: "Text files, .jsonl files, and folders of them.", completion: .file())
  var inputs: [String] = []
  @Option(help: "The folder to make.", completion: .directory) var output: String
  @Option(
    help: "bytes, or the tokenizer.json of a byte-level BPE.",
    completion: .file(extensions: ["json"]))
  var tokenizer = "bytes"
  @Option(help: "A file that names more inputs, one a line.", completion: .file())
  var filesFrom: String?
  @Option(help: "Endings of the files to take from folders, separated by commas.")
  var `extension` = "txt,md,jsonl"
  @Option(help: "The field of a JSON line that holds the text.") var field = "text"
  @Option(help: "What stands between the documents of a text file; \\n is a line end.")
  var separator = ""
  @Option(
    help: """
      Documents to evaluate on: a share below 1, or a number; of too few documents, the end of \
      each.
      """)
  var validation = 0.01
  @Option(help: "The token before each document; default: the tokenizer's own.")
  var endOfText: String?
  @Flag(help: "Take special tokens in the text, such as <|endoftext|>, for what they mean.")
  var specialTokens = false
  @Option(help: "The most tokens of a shard.") var shardTokens = 100_000_000
  @Flag(help: "Four bytes a token even where two would do.") var uint32 = false
  @Option(help: "What shards are called; default: as the folder.") var name = ""
  @Option(help: "Threads; 0 takes every core this process may use.") var threads = 0
  @Flag(help: "Replace a folder that krait prepare made before.") var overwrite = false

  func validate() throws {
    func refuse(_ text: String) -> ValidationError { ValidationError(text) }
    if inputs.isEmpty && filesFrom == nil { throw refuse("give text files or folders to prepare") }
    if !(validation >= 0 && validation.isFinite)
      || validation > 1 && validation != validation.rounded()
    {
      throw refuse("--validation is \(validation); it must be a share from 0 to 1, or a number")
    }
    if shardTokens < 2 || shardTokens >= Int(Int32.max) {
      throw refuse("--shard-tokens is \(shardTokens); it must be from 2 to 2147483646")
    }
    if threads < 0 { throw refuse("--threads is \(threads); it must be 0 or more") }
    if name.contains("/") { throw refuse("--name is '\(name)'; it must not hold a /") }
    if endOfText != nil && tokenizer == "bytes" {
      throw refuse("--end-of-text needs a --tokenizer; bytes have the token 256 for it")
    }
  }

  func run() throws {
    StopSignals.install()
    var preparation = Preparation(
      try allInputs(), output: output, tokenizer: try chosenTokenizer())
    preparation.extensions = `extension`.split(separator: ",").map(String.init)
    preparation.field = field
    preparation.separator = unescaped(separator)
    preparation.validation = validation
    preparation.tokensPerShard = shardTokens
    preparation.isWide = uint32
    preparation.name = name
    preparation.threads = threads == 0 ? CPUBackend.availableCores : threads
    preparation.replaces = overwrite
    let bar = WorkProgress(unit: "tokens")
    let manifest = try preparation.run { progress in
      if let signal = StopSignals.stopRequested {
        bar.clear()
        throw CleanError(
          "stopped by \(StopSignals.name(signal)); '\(output)' was not made, nothing is left")
      }
      bar.show(bytes: progress.bytes, of: progress.totalBytes, count: progress.tokens)
    }
    bar.clear()
    print(summary(manifest, seconds: bar.seconds))
  }

  private func allInputs() throws -> [String] {
    guard let filesFrom else { return inputs }
    guard let contents = FileManager.default.contents(atPath: filesFrom) else {
      throw CleanError("cannot read the list of inputs '\(filesFrom)'")
    }
    return inputs
      + String(decoding: contents, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private func chosenTokenizer() throws -> any Tokenizer {
    tokenizer == "bytes"
      ? ByteTokenizer()
      : try BPETokenizer(tokenizer, endOfText: endOfText, readsSpecialTokens: specialTokens)
  }

  private func unescaped(_ text: String) -> String {
    text.replacingOccurrences(of: "\\n", with: "\n").replacingOccurrences(of: "\\t", with: "\t")
  }

  private func summary(_ manifest: PreparedManifest, seconds: Double) -> String {
    func part(_ part: PreparedManifest.Part) -> String {
      let shards = "\(part.shards.count) \(part.shards.count == 1 ? "shard" : "shards")"
      let ratio = part.tokens > 0 ? fixed(Double(part.bytes) / Double(part.tokens), 2) : "-"
      return
        "\(part.tokens) tokens of \(part.documents) documents, \(ratio) bytes a token, \(shards)"
    }
    let bytes = manifest.train.bytes + manifest.validation.bytes
    var text = """
      train       \(part(manifest.train))
      validation  \(part(manifest.validation))
      vocabulary  \(manifest.vocabulary)
      speed       \(fixed(Double(bytes) / max(seconds, 1e-9) / 1e6, 1)) MB/s
      """
    if manifest.validation.tokens == 0 {
      text += "\nnothing is held out: evaluate on other data with data.validation"
    }
    let vocabulary =
      manifest.vocabulary > 257 ? " --set model.vocabulary=\(manifest.vocabulary)" : ""
    return text + "\n\nkrait train --set data.train=\(output)\(vocabulary)"
  }
}
