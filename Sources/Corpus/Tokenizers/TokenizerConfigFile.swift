import Foundation

/// What Hugging Face keeps beside a `tokenizer.json`: here, which token ends a text.
package enum TokenizerConfigFile {
  package static let fileName = "tokenizer_config.json"

  private struct Contents: Decodable {
    let eos_token: Token?
  }

  /// A token as its text, or as an object with that text.
  private struct Token: Decodable {
    let content: String

    private struct Described: Decodable { let content: String }

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      content = try (try? value.decode(String.self)) ?? value.decode(Described.self).content
    }
  }

  /// The `eos_token` of the file beside a `tokenizer.json`; nil when there is none.
  static func endOfText(beside path: String) -> String? {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    guard let data = try? Data(contentsOf: folder.appendingPathComponent(fileName)) else {
      return nil
    }
    return try? JSONDecoder().decode(Contents.self, from: data).eos_token?.content
  }

  /// The file that makes a folder with a `tokenizer.json` load in Transformers.
  package static func text(endOfText: String?) -> String {
    // JSON's own escapes are those of this encoder.
    let end = endOfText.flatMap { try? JSONEncoder().encode([$0]) }
      .map { String(String(decoding: $0, as: UTF8.self).dropFirst().dropLast()) }
    let tokens = end.map { "\n  \"bos_token\": \($0),\n  \"eos_token\": \($0)," } ?? ""
    return "{\(tokens)\n  \"clean_up_tokenization_spaces\": false,\n"
      + "  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n"
  }
}
