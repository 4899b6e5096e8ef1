import Foundation

/// Turns text into shards: `krait prepare` without its command line.
///
/// The output is a pure function of the input and the settings, whatever the number of threads.
/// Nothing is left behind when it fails or is stopped.
public struct Preparation: Sendable {
  /// Files, and folders that are searched.
  public var inputs: [String]
  /// The folder to make.
  public var output: String
  /// The tokenizer of the shards.
  public var tokenizer: any Tokenizer
  /// Endings of files to take from folders.
  public var extensions = ["txt", "md", "jsonl"]
  /// The field of a JSON line that holds the text.
  public var field = "text"
  /// What stands between the documents of a text file; empty: a file is a document.
  public var separator = ""
  /// The share (below 1) or number of documents to evaluate on.
  public var validation = 0.01
  /// The most tokens of a shard.
  public var tokensPerShard = 100_000_000
  /// Whether ids take four bytes even where two would do.
  public var isWide = false
  /// What shards are called: `<name>_train_000000.bin`.
  public var name = ""
  /// How many texts are encoded at the same time.
  public var threads = 1
  /// Whether a prepared folder of that name is replaced.
  public var replaces = false

  /// How far it is.
  public struct Progress: Sendable {
    /// Bytes of input, done and all.
    public let bytes: Int
    public let totalBytes: Int
    /// Tokens written.
    public let tokens: Int
  }

  /// Settings with their defaults.
  public init(_ inputs: [String], output: String, tokenizer: any Tokenizer) {
    self.inputs = inputs
    self.output = output
    self.tokenizer = tokenizer
  }

  /// Batches that are encoded before their tokens are written.
  private static let batchesPerRound = 64

  /// Prepares everything.
  ///
  /// - Parameter progress: called after every few megabytes; may throw to stop.
  /// - Returns: what was written, as in `prepared.json`.
  /// - Throws: `CorpusError` that names file, line and the way out.
  public func run(_ progress: (Progress) throws -> Void) throws -> PreparedManifest {
    try run(InputFiles.find(inputs, extensions: extensions), progress)
  }

  func run(
    _ files: [InputFile], _ progress: (Progress) throws -> Void
  ) throws -> PreparedManifest {
    let heldOut = try HeldOut(
      validation, of: validation == 0 ? 0 : DocumentReader.count(files, separator: separator))
    let folder = try StagedFolder(output, replaces: replaces)
    do {
      let manifest = try write(files, heldOut, folder, progress)
      try folder.commit()
      return manifest
    } catch {
      folder.abandon()
      throw error
    }
  }

  private func write(
    _ files: [InputFile], _ heldOut: HeldOut, _ folder: StagedFolder,
    _ progress: (Progress) throws -> Void
  ) throws -> PreparedManifest {
    let base = name.isEmpty ? URL(fileURLWithPath: output).lastPathComponent : name
    func part(_ name: String) -> PartWriter {
      PartWriter(
        ShardWriter(
          folder: folder.path, name: "\(base)_\(name)", vocabulary: tokenizer.vocabularySize,
          isWide: isWide, tokensPerShard: tokensPerShard), endOfText: tokenizer.endOfText)
    }
    let train = part("train")
    let validation = part("val")
    let lanes = ParallelItems(lanes: max(1, threads))
    // One for each lane: they remember what they have seen.
    let encoders = try (0..<lanes.lanes).map { _ in try tokenizer.encoder() }
    var reader = DocumentReader(
      files, separator: separator, cuts: tokenizer.cutsAtLines, heldOut: heldOut)
    let totalBytes = files.reduce(0) { $0 + $1.byteCount }
    var bytes = 0
    while true {
      var batches: [[Document]] = []
      while batches.count < Preparation.batchesPerRound, let batch = try reader.next() {
        batches.append(batch)
      }
      if batches.isEmpty { break }
      let results = try lanes.map(batches.count) { lane, index in
        try batches[index].flatMap { try encode($0, encoders[lane]) }
      }
      for text in results.joined() {
        try (text.isHeldOut ? validation : train).append(text)
      }
      bytes += batches.joined().reduce(0) { $0 + $1.range.count }
      try progress(
        Progress(
          bytes: min(bytes, totalBytes), totalBytes: totalBytes,
          tokens: train.tokenCount + validation.tokenCount))
    }
    try train.finish()
    try validation.finish()
    guard train.tokenCount > 0 else {
      throw CorpusError(
        "nothing is left to train on; give more text, or hold none out with --validation 0")
    }
    let manifest = PreparedManifest(
      tokenizer: tokenizer.name == "bytes" ? "bytes" : PreparedFolder.tokenizerName,
      vocabulary: tokenizer.vocabularySize, endOfText: tokenizer.endOfText,
      train: train.summary, validation: validation.summary)
    try folder.keep(tokenizer)
    try folder.write(manifest.json, PreparedFolder.manifestName)
    return manifest
  }

  /// A text in tokens.
  private func encode(
    _ document: Document, _ encoder: any TokenEncoder
  ) throws -> [EncodedText] {
    func encoded(_ bytes: UnsafeBufferPointer<UInt8>, isHeldOut: Bool) -> EncodedText {
      var ids: [UInt32] = []
      ids.reserveCapacity(bytes.count / 3)
      encoder.append(bytes, to: &ids)
      return EncodedText(
        ids: ids, byteCount: bytes.count, isStart: document.isStart, isHeldOut: isHeldOut)
    }
    guard document.format == .lines else {
      return [encoded(document.bytes, isHeldOut: document.part == .validation)]
    }
    return try JSONLine.text(document, field: field).withUnsafeBufferPointer { text in
      guard !text.isEmpty else { return [] }
      guard case .tail(let share) = document.part else {
        return [encoded(text, isHeldOut: document.part == .validation)]
      }
      let cut = HeldOut.cut(text, share: share)
      return [
        encoded(UnsafeBufferPointer(rebasing: text[..<cut]), isHeldOut: false),
        encoded(UnsafeBufferPointer(rebasing: text[cut...]), isHeldOut: true),
      ].filter { $0.byteCount > 0 }
    }
  }
}

/// A document, or a part of one, in tokens.
struct EncodedText: Sendable {
  let ids: [UInt32]
  let byteCount: Int
  let isStart: Bool
  let isHeldOut: Bool
}

/// The shards of one part, and how much went into them.
private final class PartWriter {
  private let writer: ShardWriter
  private let endOfText: UInt32?
  private var documents = 0
  private var bytes = 0

  init(_ writer: ShardWriter, endOfText: Int?) {
    self.writer = writer
    self.endOfText = endOfText.map(UInt32.init)
  }

  var tokenCount: Int { writer.tokenCount }

  func append(_ text: EncodedText) throws {
    if text.isStart {
      documents += 1
      if let endOfText { try writer.append(CollectionOfOne(endOfText)) }
    }
    bytes += text.byteCount
    try writer.append(text.ids)
  }

  func finish() throws { try writer.finish() }

  var summary: PreparedManifest.Part {
    PreparedManifest.Part(
      documents: documents, bytes: bytes, tokens: writer.tokenCount,
      shards: writer.paths.map { URL(fileURLWithPath: $0).lastPathComponent })
  }
}
