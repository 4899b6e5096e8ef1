/// The vocabulary of a byte-level BPE `tokenizer.json`, as far as other formats need it.
public struct TokenizerVocabulary: Sendable {
  /// How raw text is cut before merging.
  public enum PreTokenizer: String, Sendable {
    /// GPT-2's expression.
    case gpt2 = "gpt-2"
    /// Llama 3's expression.
    case llama3 = "llama-bpe"
    /// Llama 3's, but every digit on its own.
    case qwen2 = "qwen2"
  }

  /// What a token that was added to the vocabulary stands for.
  public enum AddedKind: Sendable {
    /// A mark: the end of a text, for example.
    case special
    /// Its own letters.
    case text
  }

  /// Where it came from.
  public let path: String
  /// The token of each id, in the alphabet of bytes; nil for ids that stand for nothing.
  public let tokens: [String?]
  /// Ids that are split out of raw text before anything else; special ones stand for no text.
  public let addedTokens: [Int: AddedKind]
  /// Pairs of tokens, the first to be merged first.
  public let merges: [(String, String)]
  /// How raw text is cut; nil when llama.cpp knows no name for it.
  public let preTokenizer: PreTokenizer?
  let json: StrictJSON.Value

  /// Highest id that is accepted: a file cannot make us allocate without bound.
  private static let maximumId = 1 << 24

  /// Reads a `tokenizer.json`.
  ///
  /// - Throws: `InterchangeError` that names the file and what is wrong with it.
  public init(_ path: String) throws {
    self.path = path
    let json = try StrictJSON.Value.read(path)
    self.json = json
    func refuse(_ sentence: String) -> InterchangeError {
      InterchangeError("'\(path)' is no byte-level BPE tokenizer: \(sentence)")
    }
    guard let model = json["model"], model["type"] == .string("BPE"),
      case .object(let vocabulary) = model["vocab"]
    else { throw refuse("its model is not BPE with a vocab") }
    var tokens: [String?] = []
    func set(_ token: String, _ id: StrictJSON.Value?) throws -> Int {
      guard case .number(let text) = id, let id = Int(text),
        (0..<TokenizerVocabulary.maximumId).contains(id)
      else { throw refuse("the token '\(token)' has no usable id") }
      if id >= tokens.count {
        tokens += Array(repeating: nil, count: id + 1 - tokens.count)
      }
      tokens[id] = token
      return id
    }
    for (token, id) in vocabulary { _ = try set(token, id) }
    var added: [Int: AddedKind] = [:]
    if case .array(let items) = json["added_tokens"] {
      for item in items {
        guard case .string(let content) = item["content"] else {
          throw refuse("an added token has no content")
        }
        let id = try set(content, item["id"])
        added[id] = item["special"] == .bool(true) ? .special : .text
      }
    }
    self.tokens = tokens
    addedTokens = added
    var merges: [(String, String)] = []
    if case .array(let items) = model["merges"] {
      for item in items {
        switch item {
        case .string(let text):
          let parts = text.split(separator: " ", omittingEmptySubsequences: false)
          guard parts.count == 2 else { throw refuse("the merge '\(text)' is no pair") }
          merges.append((String(parts[0]), String(parts[1])))
        case .array(let pair):
          guard pair.count == 2, case .string(let left) = pair[0],
            case .string(let right) = pair[1]
          else { throw refuse("a merge is no pair") }
          merges.append((left, right))
        default: throw refuse("a merge is no pair")
        }
      }
    }
    self.merges = merges
    preTokenizer = TokenizerVocabulary.preTokenizer(json["pre_tokenizer"])
  }

  /// The token of an id, or nil.
  public func token(_ id: Int) -> String? { tokens.indices.contains(id) ? tokens[id] : nil }

  private static func preTokenizer(_ value: StrictJSON.Value?) -> PreTokenizer? {
    guard let value else { return nil }
    if value["type"] == .string("ByteLevel") {
      return value["use_regex"] == .bool(false) ? nil : .gpt2
    }
    guard value["type"] == .string("Sequence"), case .array(let parts) = value["pretokenizers"],
      let split = parts.first, split["type"] == .string("Split"),
      case .string(let expression) = split["pattern"]?["Regex"]
    else { return nil }
    switch expression {
    case gpt2Expression: return .gpt2
    case llama3Expression(numbers: "\\p{N}{1,3}"): return .llama3
    case llama3Expression(numbers: "\\p{N}"): return .qwen2
    default: return nil
    }
  }

  private static let gpt2Expression =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  private static func llama3Expression(numbers: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }
}
