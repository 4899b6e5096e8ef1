import Foundation

/// Shards in a fixed order, cut into windows of `sequenceLength` + 1 tokens.
///
/// Windows of one shard follow each other without a gap, the last token of one being the first of
/// the next; what is left at the end of a shard is not used. No window crosses two shards.
public struct TokenDataset: Sendable {
  /// For people.
  public let name: String
  /// Tokens in all shards.
  public let tokenCount: Int
  /// The number of windows.
  public let windowCount: Int
  /// Inputs per window.
  public let sequenceLength: Int
  private let sources: [any TokenSource]
  /// Windows before each source.
  private let firstWindows: [Int]

  /// Cuts sources into windows.
  ///
  /// - Throws: `CorpusError` when not even one window fits.
  public init(_ sources: [any TokenSource], name: String, sequenceLength: Int) throws {
    precondition(sequenceLength >= 1, "sequences of \(sequenceLength)")
    self.sources = sources
    self.name = name
    self.sequenceLength = sequenceLength
    var windows = 0
    var tokens = 0
    var first: [Int] = []
    for source in sources {
      first.append(windows)
      windows += max(0, (source.count - 1) / sequenceLength)
      tokens += source.count
    }
    firstWindows = first
    windowCount = windows
    tokenCount = tokens
    guard windows > 0 else {
      throw CorpusError(
        tokens == 0
          ? "'\(name)' holds no tokens; give a data set with text in it"
          : "'\(name)' holds \(tokens) tokens, fewer than data.sequence + 1 = "
            + "\(sequenceLength + 1) in any one shard; lower data.sequence or add text")
    }
  }

  /// Opens every shard of a path: a file, or a folder, whose shards are those with `train` in the
  /// name (`val` for evaluation) or, when there are none such, the `.bin` files with neither.
  ///
  /// - Parameters:
  ///   - path: a shard or a folder of shards.
  ///   - part: `train` or `val`.
  ///   - sequenceLength: tokens of a sample.
  ///   - vocabulary: ids must be below it.
  public static func open(
    _ path: String, part: String, sequenceLength: Int, vocabulary: Int
  ) throws -> TokenDataset {
    let shards = try paths(path, part: part).map {
      try TokenShard.open($0, vocabulary: vocabulary)
    }
    return try TokenDataset(shards, name: path, sequenceLength: sequenceLength)
  }

  /// The shards that a path names, sorted.
  static func paths(_ path: String, part: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw CorpusError(
        "'\(path)' does not exist; give a shard, or a folder of shards made by 'krait prepare'")
    }
    guard isFolder.boolValue else { return [path] }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw CorpusError("cannot list the folder '\(path)': \(error.localizedDescription)")
    }
    let shards = names.filter { $0.hasSuffix(".bin") && !$0.hasPrefix(".") }.sorted()
    var chosen = shards.filter { TokenDataset.part(of: $0) == part }
    if chosen.isEmpty { chosen = shards.filter { TokenDataset.part(of: $0) == nil } }
    guard !chosen.isEmpty else {
      throw CorpusError(
        "the folder '\(path)' has no shard to \(part == "train" ? "train" : "evaluate") on "
          + "(*\(part)*.bin); make some with 'krait prepare'")
    }
    return chosen.map { path + "/" + $0 }
  }

  /// What a shard's name says it is for: whichever of `train` and `val` comes last in it.
  private static func part(of name: String) -> String? {
    let train = name.range(of: "train", options: .backwards)?.lowerBound
    let validation = name.range(of: "val", options: .backwards)?.lowerBound
    switch (train, validation) {
    case (let train?, let validation?): return train > validation ? "train" : "val"
    case (_?, nil): return "train"
    case (nil, _?): return "val"
    case (nil, nil): return nil
    }
  }

  /// Copies the inputs and targets of a window, `sequenceLength` each.
  public func window(
    _ index: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>
  ) {
    precondition(index >= 0 && index < windowCount, "window \(index) of \(windowCount)")
    var low = 0
    var high = sources.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if firstWindows[middle] <= index { low = middle } else { high = middle - 1 }
    }
    let start = (index - firstWindows[low]) * sequenceLength
    sources[low].copy(
      from: start, into: UnsafeMutableBufferPointer(start: inputs, count: sequenceLength))
    sources[low].copy(
      from: start + 1, into: UnsafeMutableBufferPointer(start: targets, count: sequenceLength))
  }

  /// Inputs and targets of a window as arrays.
  public func window(_ index: Int) -> (tokens: [Int32], targets: [Int32]) {
    var inputs = [Int32](repeating: 0, count: sequenceLength)
    var targets = inputs
    inputs.withUnsafeMutableBufferPointer { first in
      targets.withUnsafeMutableBufferPointer { second in
        guard let first = first.baseAddress, let second = second.baseAddress else { return }
        window(index, inputs: first, targets: second)
      }
    }
    return (inputs, targets)
  }
}
