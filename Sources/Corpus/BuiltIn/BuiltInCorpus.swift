/// Text that the project itself generates, so that a first run needs no download: small stories,
/// dialogues, sums, lists, reports, tables and snippets in plain English, pure ASCII.
///
/// It is a pure function of the seed. A model that learns it writes sentences with the right
/// pronouns, remembers names and colours, and adds small numbers.
public struct BuiltInCorpus: Sendable {
  /// Documents to train on.
  public let training: [String]
  /// Documents to evaluate on; none of them is trained on.
  public let validation: [String]

  /// The standard corpus: about 2.4 MB to train on, 120 kB to evaluate.
  public static let standard = BuiltInCorpus(
    trainingBytes: 2_400_000, validationBytes: 120_000, seed: 20_260_206_183)

  /// Generates until both parts are at least as large as asked for.
  public init(trainingBytes: Int, validationBytes: Int, seed: UInt64) {
    training = BuiltInCorpus.documents(bytes: trainingBytes, seed: seed &* 2)
    let seen = Set(training)
    validation = BuiltInCorpus.documents(bytes: validationBytes, seed: seed &* 2 &+ 1, except: seen)
  }

  private static func documents(
    bytes: Int, seed: UInt64, except seen: Set<String> = []
  ) -> [String] {
    var result: [String] = []
    var total = 0
    var index: UInt64 = 0
    while total < bytes {
      var writer = DocumentWriter(seed: seed &* 0x1_0000_0001 &+ index &* 0x9E37_79B9)
      let document = writer.document()
      index += 1
      if seen.contains(document) { continue }
      result.append(document)
      total += document.utf8.count
    }
    return result
  }

  /// Token ids of documents, the end-of-text token before each, as llm.c's shards have it.
  public static func tokens(
    of documents: [String], tokenizer: any Tokenizer
  ) throws -> [UInt32] {
    var ids: [UInt32] = []
    for document in documents {
      if let end = tokenizer.endOfText { ids.append(UInt32(end)) }
      ids += try tokenizer.encode(Array(document.utf8))
    }
    return ids
  }
}
