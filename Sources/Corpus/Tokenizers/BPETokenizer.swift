/// Byte-level byte-pair encoding, as a Hugging Face `tokenizer.json` describes it.
///
/// Ids equal those of `tokenizers` with `add_special_tokens=False`. That library takes text, so it
/// never sees bytes that are not UTF-8; here each such byte is a character of its own that is
/// neither letter, number nor white space, and nothing is lost.
public final class BPETokenizer: Tokenizer {
  /// The path of the `tokenizer.json`.
  public let name: String
  public let endOfText: Int?
  /// The end-of-text token as text.
  public let endOfTextContent: String?
  /// Whether decoding always gives back the text: not where an added token takes the white space
  /// beside it along.
  public let isLossless: Bool
  let pattern: SplitPattern
  let ignoresMerges: Bool
  let merges: MergeTable
  let texts: TokenTexts
  /// The token of each byte.
  let byteTokens: [UInt32]
  /// Looked for first, then the others in what is left.
  let added: [AddedTokens]

  /// Tokens that stand between documents, in order of preference.
  private static let endNames = [
    "<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|eos|>", "<|im_end|>",
  ]

  /// Reads a `tokenizer.json`.
  ///
  /// - Parameters:
  ///   - endOfText: the token that stands between documents; nil takes the `eos_token` of a
  ///     `tokenizer_config.json` in the same folder, or looks for one by its usual names.
  ///   - readsSpecialTokens: whether special tokens are found in text, as Hugging Face does; false
  ///     takes their letters as any others (`encode_special_tokens` there), so that a document
  ///     that speaks of `<|endoftext|>` does not end in its midst.
  /// - Throws: `CorpusError` that names what is not understood.
  public init(
    _ path: String, endOfText: String? = nil, readsSpecialTokens: Bool = true
  ) throws {
    let file = try TokenizerFile.read(path)
    name = path
    pattern = try file.pattern(path: path)
    ignoresMerges = file.model.ignore_merges ?? false
    let vocabulary = try BPEVocabulary(file, path: path)
    texts = vocabulary.texts
    byteTokens = vocabulary.byteTokens
    merges = MergeTable(try vocabulary.merges(file.model.merges.pairs, path: path))
    let found = vocabulary.added.filter { readsSpecialTokens || !$0.isSpecial }
    isLossless = !found.contains { $0.stripsLeft || $0.stripsRight }
    added = [
      AddedTokens(found.filter { !$0.isNormalized }), AddedTokens(found.filter(\.isNormalized)),
    ].filter { !$0.isEmpty }
    let ends =
      endOfText.map { [$0] }
      ?? [TokenizerConfigFile.endOfText(beside: path)].compactMap { $0 } + BPETokenizer.endNames
    let end = ends.lazy.compactMap { name in vocabulary.ids[name].map { (name, Int($0)) } }.first
    if let endOfText, end == nil {
      throw CorpusError("'\(path)' has no token '\(endOfText)' to stand between documents")
    }
    self.endOfText = end?.1
    endOfTextContent = end?.0
  }

  public var vocabularySize: Int { texts.count }

  public var cutsAtLines: Bool { pattern != .none && added.isEmpty }

  /// For people: how text is cut before it is merged.
  public var patternName: String {
    switch pattern {
    case .gpt2: "cut as GPT-2 does"
    case .llama3(let digits): "cut as Llama 3 does, numbers by \(digits) digits"
    case .none: "not cut"
    }
  }

  /// What two tokens merge into, if they merge.
  package func mergedToken(_ left: UInt32, _ right: UInt32) -> UInt32? {
    merges[left, right]?.token
  }

  public func encoder() -> any TokenEncoder { BPEEncoder(self) }

  public func decode(_ ids: [UInt32]) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids { texts.append(id, to: &bytes) }
    return bytes
  }
}
