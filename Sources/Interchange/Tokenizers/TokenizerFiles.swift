/// The tokenizer files of a Hugging Face folder.
public struct TokenizerFiles: Sendable, Equatable {
  /// The text of `tokenizer.json`.
  public let tokenizer: String
  /// The text of `tokenizer_config.json`.
  public let configuration: String

  /// The name that Krait's end-of-text byte token gets elsewhere.
  public static let endOfText = "<|endoftext|>"
  /// The name of the tokenizer's file.
  public static let fileName = "tokenizer.json"
  static let configurationName = "tokenizer_config.json"

  /// Files for one token per byte and one, 256, between documents: byte-level BPE without merges,
  /// so that every library that knows GPT-2's tokenizer gives the same ids.
  ///
  /// - Parameter alphabet: the character of each byte in GPT-2's byte-level BPE.
  public static func bytes(alphabet: [String], positions: Int) -> TokenizerFiles {
    let byteLevel: [(String, StrictJSON.Value)] = [
      ("type", .string("ByteLevel")), ("add_prefix_space", .bool(false)),
      ("trim_offsets", .bool(true)), ("use_regex", .bool(false)),
    ]
    var vocabulary: [(String, StrictJSON.Value)] = alphabet.enumerated().map {
      ($1, .integer($0))
    }
    vocabulary.append((endOfText, .integer(256)))
    let added: StrictJSON.Value = .object([
      ("id", .integer(256)), ("content", .string(endOfText)), ("single_word", .bool(false)),
      ("lstrip", .bool(false)), ("rstrip", .bool(false)), ("normalized", .bool(false)),
      ("special", .bool(true)),
    ])
    let json = StrictJSON.Value.object([
      ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
      ("added_tokens", .array([added])), ("normalizer", .null),
      ("pre_tokenizer", .object(byteLevel)), ("post_processor", .null),
      ("decoder", .object(byteLevel)),
      (
        "model",
        .object([
          ("type", .string("BPE")), ("dropout", .null), ("unk_token", .null),
          ("continuing_subword_prefix", .null), ("end_of_word_suffix", .null),
          ("fuse_unk", .bool(false)), ("byte_fallback", .bool(false)),
          ("ignore_merges", .bool(false)), ("vocab", .object(vocabulary)), ("merges", .array([])),
        ])
      ),
    ])
    return TokenizerFiles(
      tokenizer: json.text, configuration: config(endOfText: endOfText, positions: positions))
  }

  /// Files for an existing `tokenizer.json`: itself, except that it adds no special tokens, as no
  /// text had any in training but the end-of-text id between documents.
  public static func copy(
    of vocabulary: TokenizerVocabulary, endOfText: Int?, positions: Int
  ) throws -> TokenizerFiles {
    guard case .object(var members) = vocabulary.json else {
      throw InterchangeError("'\(vocabulary.path)' is no tokenizer: it is no object")
    }
    for index in members.indices where members[index].0 == "post_processor" {
      members[index].1 = withoutTemplates(members[index].1)
    }
    return TokenizerFiles(
      tokenizer: StrictJSON.Value.object(members).text,
      configuration: config(
        endOfText: endOfText.flatMap { vocabulary.token($0) }, positions: positions))
  }

  /// Writes both files into a folder.
  public func write(folder: String) throws {
    try AtomicFile.write(tokenizer, to: folder + "/" + TokenizerFiles.fileName)
    try AtomicFile.write(configuration, to: folder + "/" + TokenizerFiles.configurationName)
  }

  private static func withoutTemplates(_ value: StrictJSON.Value) -> StrictJSON.Value {
    guard case .object(var members) = value, case .string(let type) = value["type"] else {
      return value
    }
    if type == "TemplateProcessing" { return .null }
    guard type == "Sequence" else { return value }
    for index in members.indices where members[index].0 == "processors" {
      guard case .array(let items) = members[index].1 else { continue }
      members[index].1 = .array(items.map(withoutTemplates).filter { $0 != .null })
    }
    return .object(members)
  }

  /// Without `tokenizer_class`, Transformers 4 takes Llama's for `model_type` arcee and adds
  /// tokens of its own.
  private static func config(endOfText: String?, positions: Int) -> String {
    let end: StrictJSON.Value = endOfText.map { .string($0) } ?? .null
    return StrictJSON.Value.object([
      ("tokenizer_class", .string("PreTrainedTokenizerFast")), ("bos_token", end),
      ("eos_token", end), ("add_bos_token", .bool(false)), ("add_eos_token", .bool(false)),
      ("model_max_length", .integer(positions)), ("clean_up_tokenization_spaces", .bool(false)),
    ]).text
  }
}
