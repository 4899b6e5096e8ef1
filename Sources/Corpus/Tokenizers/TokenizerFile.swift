import Foundation

/// What a Hugging Face `tokenizer.json` says, as far as byte-level BPE needs it.
struct TokenizerFile: Decodable {
  let added_tokens: [Added]?
  let normalizer: Component?
  let pre_tokenizer: Component?
  let post_processor: Component?
  let decoder: Component?
  let model: Model

  struct Added: Decodable {
    let id: Int
    let content: String
    let single_word: Bool?
    let lstrip: Bool?
    let rstrip: Bool?
    let normalized: Bool?
    let special: Bool?
  }

  /// A normalizer, pre-tokenizer, post-processor or decoder.
  struct Component: Decodable {
    let type: String
    let normalizers: [Component]?
    let pretokenizers: [Component]?
    let processors: [Component]?
    let decoders: [Component]?
    let pattern: Pattern?
    let behavior: String?
    let invert: Bool?
    let add_prefix_space: Bool?
    let use_regex: Bool?

    /// The parts of a sequence; anything else is its own only part.
    var parts: [Component] {
      guard type == "Sequence" else { return [self] }
      return normalizers ?? pretokenizers ?? processors ?? decoders ?? []
    }
  }

  struct Pattern: Decodable {
    let Regex: String?
    let String: String?
  }

  struct Model: Decodable {
    let type: String?
    let dropout: Double?
    let continuing_subword_prefix: String?
    let end_of_word_suffix: String?
    let ignore_merges: Bool?
    let vocab: [String: Int]
    let merges: Merges
  }

  /// Merges as pairs of tokens, or, in older files, as "a b".
  struct Merges: Decodable {
    let pairs: [(left: String, right: String)]

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      var pairs: [(left: String, right: String)] = []
      pairs.reserveCapacity(list.count ?? 0)
      func bad(_ text: String) -> DecodingError {
        .dataCorruptedError(in: list, debugDescription: "the merge \(text) is not a pair of tokens")
      }
      let isText =
        list.isAtEnd ? false : (try? decoder.singleValueContainer().decode([String].self)) != nil
      while !list.isAtEnd {
        if isText {
          let text = try list.decode(String.self)
          let halves = text.split(separator: " ", omittingEmptySubsequences: false)
          guard halves.count == 2 else { throw bad("'\(text)'") }
          pairs.append((String(halves[0]), String(halves[1])))
        } else {
          let pair = try list.decode([String].self)
          guard pair.count == 2 else { throw bad("\(pair)") }
          pairs.append((pair[0], pair[1]))
        }
      }
      self.pairs = pairs
    }
  }

  /// Reads a file.
  ///
  /// - Throws: `CorpusError` that says where it is not what it should be.
  static func read(_ path: String) throws -> TokenizerFile {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw CorpusError(
        "cannot read the tokenizer '\(path)'; give 'bytes' or the path of a tokenizer.json")
    }
    do {
      return try JSONDecoder().decode(TokenizerFile.self, from: data)
    } catch let error as DecodingError {
      throw CorpusError("'\(path)' is not a tokenizer.json of a BPE model: \(sentence(error))")
    }
  }

  private static func sentence(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
      let keys = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
      return keys.isEmpty ? "" : " at \(keys.joined(separator: "."))"
    }
    switch error {
    case .keyNotFound(let key, let context):
      return "'\(key.stringValue)' is missing\(place(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "something else was expected\(place(context))"
    case .dataCorrupted(let context): return "\(context.debugDescription)\(place(context))"
    @unknown default: return "\(error)"
    }
  }
}
