public import Corpus
import Foundation
import Transformer

/// The data of a run, opened and checked: what it trains on, what it evaluates on, in which tokens.
public struct RunData: Sendable {
  /// The order of training samples.
  public let stream: BatchStream
  /// Windows to evaluate on.
  public let validation: TokenDataset
  /// What turns text into the run's tokens; nil when the data names none that can be read here.
  public let tokenizer: (any Tokenizer)?
  /// For people: where the data comes from and how much there is.
  public let summary: String

  /// Opens everything a configuration names.
  ///
  /// - Throws: a sentence naming the file and the way out.
  public init(_ configuration: RunConfiguration) throws {
    let data = configuration.data
    let tokenizer = try RunData.tokenizer(of: data)
    self.tokenizer = tokenizer
    guard tokenizer.vocabularySize <= configuration.model.vocabulary else {
      throw TrainingError(
        "the tokenizer '\(tokenizer.name)' has \(tokenizer.vocabularySize) ids, but "
          + "model.vocabulary is \(configuration.model.vocabulary); set it to at least "
          + "\(tokenizer.vocabularySize)")
    }
    let seed = UInt64(configuration.run.seed)
    guard !data.train.isEmpty else {
      let corpus = BuiltInCorpus.standard
      func dataset(_ documents: [String], _ name: String) throws -> TokenDataset {
        try TokenDataset(
          [
            TokenArray(
              try BuiltInCorpus.tokens(of: documents, tokenizer: tokenizer), name: name)
          ], name: name, sequenceLength: data.sequence)
      }
      let training = try dataset(corpus.training, "the built-in corpus")
      stream = BatchStream([BatchStream.Part(training, weight: 1)], seed: seed)
      validation = try dataset(corpus.validation, "the built-in corpus's evaluation part")
      summary = "the built-in corpus, \(ProgressLine.grouped(training.tokenCount)) tokens"
      return
    }
    var parts: [BatchStream.Part] = []
    var names: [String] = []
    for source in data.train {
      let dataset = try TokenDataset.open(
        source.path, part: "train", sequenceLength: data.sequence,
        vocabulary: configuration.model.vocabulary)
      parts.append(BatchStream.Part(dataset, weight: source.weight))
      names.append("\(source.path), \(ProgressLine.grouped(dataset.tokenCount)) tokens")
    }
    stream = BatchStream(parts, seed: seed)
    validation = try TokenDataset.open(
      data.validation.isEmpty ? data.train[0].path : data.validation, part: "val",
      sequenceLength: data.sequence, vocabulary: configuration.model.vocabulary)
    // One file, or a folder without *train* and *val* names, is both: the loss flatters then.
    let isSame =
      parts.count == 1 && data.validation.isEmpty
      && validation.tokenCount == parts[0].dataset.tokenCount
    summary =
      names.joined(separator: "; ")
      + (isSame ? "; evaluated on the same text: set data.validation for held-out text" : "")
  }

  /// The tokenizer of a name: `bytes`, or the path of a `tokenizer.json`.
  public static func tokenizer(_ name: String) throws -> any Tokenizer {
    name == "bytes" ? ByteTokenizer() : try BPETokenizer(name)
  }

  /// The tokenizer of a run's data: the one that is named, or, where none is, the one that lies
  /// beside the shards.
  ///
  /// - Throws: `CorpusError` when it cannot be read, or when parts of the data disagree.
  static func tokenizer(of data: DataConfiguration) throws -> any Tokenizer {
    guard data.tokenizer == "bytes" else { return try tokenizer(data.tokenizer) }
    return try PreparedFolder.tokenizer(of: data.train.map(\.path)) ?? ByteTokenizer()
  }

  /// UTF-8 bytes that each token id stands for; for bits per byte.
  func byteCounts(vocabulary: Int) -> [Int]? {
    guard let tokenizer else { return nil }
    return (0..<vocabulary).map { id in
      id < tokenizer.vocabularySize && id != tokenizer.endOfText
        ? tokenizer.decode([UInt32(id)]).count : 0
    }
  }
}
