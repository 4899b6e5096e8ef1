/// The tokenizer part of a GGUF file's metadata, for llama.cpp's byte-level BPE.
public struct GGUFTokenizer: Sendable, Equatable {
  /// The token of every id below the model's vocabulary.
  public let tokens: [String]
  /// `tokenizer.ggml.pre`: how raw text is cut before merging.
  public let pre: String
  private let types: [Int32]
  private let merges: [String]
  private let endOfText: Int?

  private enum TokenKind: Int32 {
    case normal = 1
    case control = 3
    case userDefined = 4
    case unused = 5
  }

  /// One token per byte, and one, 256, between documents.
  ///
  /// - Parameter alphabet: the character of each byte in GPT-2's byte-level BPE.
  public static func bytes(alphabet: [String], vocabulary: Int) -> GGUFTokenizer {
    GGUFTokenizer(
      tokens: alphabet + [TokenizerFiles.endOfText], added: [256: .special],
      merges: [],
      pre: TokenizerVocabulary.PreTokenizer.gpt2.rawValue, endOfText: 256, vocabulary: vocabulary)
  }

  /// A byte-level BPE vocabulary.
  ///
  /// - Throws: `InterchangeError` when llama.cpp would cut text in another way.
  public static func bytePairs(
    _ file: TokenizerVocabulary, endOfText: Int?, vocabulary: Int
  ) throws -> GGUFTokenizer {
    guard let pre = file.preTokenizer else {
      throw InterchangeError(
        "'\(file.path)' cuts text neither as GPT-2 nor as Llama 3 does, and llama.cpp would give "
          + "other ids; export with --format hf and convert with llama.cpp's own script")
    }
    guard file.tokens.count <= vocabulary else {
      throw InterchangeError(
        "'\(file.path)' has \(file.tokens.count) ids, but the model's vocabulary is \(vocabulary)")
    }
    return GGUFTokenizer(
      tokens: file.tokens, added: file.addedTokens,
      merges: file.merges.map { $0.0 + " " + $0.1 }, pre: pre.rawValue, endOfText: endOfText,
      vocabulary: vocabulary)
  }

  private init(
    tokens: [String?], added: [Int: TokenizerVocabulary.AddedKind], merges: [String], pre: String,
    endOfText: Int?,
    vocabulary: Int
  ) {
    // llama.cpp takes the size of the vocabulary from this list: rows of the embedding that stand
    // for nothing get names of their own.
    self.tokens = (0..<vocabulary).map { id in
      (id < tokens.count ? tokens[id] : nil) ?? "[PAD\(id)]"
    }
    types = (0..<vocabulary).map { id in
      guard id < tokens.count, tokens[id] != nil else { return TokenKind.unused.rawValue }
      let kind: TokenKind =
        switch added[id] {
        case .special: .control
        case .text: .userDefined
        case nil: .normal
        }
      return kind.rawValue
    }
    self.merges = merges
    self.pre = pre
    self.endOfText = endOfText
  }

  /// The metadata pairs. No token is added to a text: training had none but the end-of-text id
  /// between documents.
  public var metadata: [(String, GGUFValue)] {
    var result: [(String, GGUFValue)] = [
      ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string(pre)),
      ("tokenizer.ggml.tokens", .strings(tokens)), ("tokenizer.ggml.token_type", .int32s(types)),
      ("tokenizer.ggml.merges", .strings(merges)),
    ]
    if let endOfText {
      result.append(("tokenizer.ggml.bos_token_id", .uint32(UInt32(endOfText))))
      result.append(("tokenizer.ggml.eos_token_id", .uint32(UInt32(endOfText))))
    }
    result.append(("tokenizer.ggml.add_bos_token", .bool(false)))
    result.append(("tokenizer.ggml.add_eos_token", .bool(false)))
    return result
  }
}
