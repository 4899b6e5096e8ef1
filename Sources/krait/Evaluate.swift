import ArgumentParser
import Compute
import Corpus
import Foundation
import Interchange
import Training
import Transformer

/// Loss, perplexity, bits per byte.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Computes the dense loss of a model on a text or on token shards.",
    discussion: """
      krait evaluate runs/tiny                     the run's own evaluation data
      krait evaluate runs/tiny book.txt            a text file
      krait evaluate exported-folder shards/       token shards made with the model's tokenizer
      krait evaluate runs/tiny --logits out.json --tokens 1,2,3    logits, to compare elsewhere
      """)

  @Argument(help: "A run folder, or a Hugging Face folder.", completion: .directory)
  var source: String
  @Argument(help: "A text file, a shard, or a folder of shards; default: the run's own.")
  var data: String?
  @OptionGroup var machine: BackendOptions
  @Option(help: "Tokens of a window; default: what the model was trained on.") var sequence: Int?
  @Option(help: "Windows to evaluate; 0 for all.") var windows = 0
  @Option(help: "Write the logits of --tokens to this JSON file, and stop.") var logits: String?
  @Option(help: "Token ids, separated by commas, for --logits.") var tokens: String = ""

  func validate() throws {
    if windows < 0 { throw ValidationError("--windows is \(windows); it must be 0 or more") }
    if let sequence, sequence < 1 {
      throw ValidationError("--sequence is \(sequence); it must be at least 1")
    }
    if (logits == nil) != tokens.isEmpty {
      throw ValidationError("--logits and --tokens go together: a file, and ids to compute")
    }
  }

  func run() throws {
    let loaded = try ModelSource.open(source, on: machine.open())
    if let logits {
      try writeLogits(loaded, to: logits)
      return
    }
    let length = sequence ?? loaded.sequenceLength
    let dataset = try dataset(loaded, sequence: length)
    let count = windows == 0 ? dataset.windowCount : min(windows, dataset.windowCount)
    let vocabulary = loaded.model.configuration.vocabulary
    let counts = loaded.byteCounts
    var done = 0
    let isTerminal = isatty(STDERR_FILENO) == 1
    let result = try Evaluator(
      loaded.model, sequences: max(1, min(8, count)), sequenceLength: length
    ).evaluate(
      windows: count,
      window: { index in
        let window = dataset.window(index)
        if let bad = window.tokens.first(where: { $0 < 0 || Int($0) >= vocabulary }) {
          throw CleanError(
            "'\(dataset.name)' holds token id \(bad), but the model's vocabulary is "
              + "\(vocabulary); give data in the model's tokens")
        }
        done += 1
        if isTerminal && done % 8 == 0 {
          FileHandle.standardError.write(Data("\rwindow \(done) of \(count)".utf8))
        }
        return window
      }, bytes: { counts[Int($0)] })
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    guard result.loss.isFinite else {
      throw CleanError(
        "the loss of \(loaded.summary), is not finite: its training diverged; take an earlier "
          + "checkpoint, or train again with a lower schedule.learningRate")
    }
    print("model           \(loaded.summary)")
    print("data            \(dataset.name), \(result.tokens) tokens in windows of \(length)")
    print("loss            \(fixed(result.loss, 4)) nats per token")
    print("perplexity      \(fixed(result.perplexity, 3))")
    if let bits = result.bitsPerByte { print("bits per byte   \(fixed(bits, 4))") }
  }

  private func dataset(_ loaded: LoadedModel, sequence: Int) throws -> TokenDataset {
    guard let data else {
      guard let configuration = loaded.configuration else {
        throw CleanError("give a text file or token shards to evaluate '\(source)' on")
      }
      var changed = configuration
      changed.data.sequence = sequence
      return try RunData(changed).validation
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: data, isDirectory: &isFolder) else {
      throw CleanError("'\(data)' does not exist; give a text file, a shard or a folder of shards")
    }
    if !isFolder.boolValue && !data.hasSuffix(".bin") {
      guard let bytes = FileManager.default.contents(atPath: data) else {
        throw CleanError("cannot read '\(data)'")
      }
      let start = loaded.tokenizer.endOfText.map { [UInt32($0)] } ?? []
      let ids = start + (try loaded.tokenizer.encode(Array(bytes)))
      guard ids.count > sequence else {
        throw CleanError(
          "'\(data)' has \(ids.count) tokens, too few for a window of \(sequence) and what "
            + "follows; give more text, or a shorter --sequence")
      }
      return try TokenDataset(
        [TokenArray(ids, name: data)], name: data, sequenceLength: sequence)
    }
    return try TokenDataset.open(
      data, part: "val", sequenceLength: sequence,
      vocabulary: loaded.model.configuration.vocabulary)
  }

  private func writeLogits(_ loaded: LoadedModel, to path: String) throws {
    let vocabulary = loaded.model.configuration.vocabulary
    let ids = try tokens.split(separator: ",").map { text in
      guard let id = Int32(text.trimmingCharacters(in: .whitespaces)), id >= 0, id < vocabulary
      else {
        throw CleanError("--tokens has '\(text)'; ids are numbers below \(vocabulary)")
      }
      return id
    }
    let values = try loaded.logits(ids)
    let rows = stride(from: 0, to: values.count, by: vocabulary).map { start in
      "[" + values[start..<start + vocabulary].map { "\($0)" }.joined(separator: ",") + "]"
    }
    try AtomicFile.write("[" + rows.joined(separator: ",\n") + "]\n", to: path)
    print("logits of \(ids.count) tokens in '\(path)'")
  }
}
