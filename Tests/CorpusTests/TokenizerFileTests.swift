import Corpus
import Foundation
import Testing

/// What is not understood is refused by name.
@Suite struct TokenizerFileTests {
  /// The fixture with a change; the error that reading it gives.
  private func refusal(_ change: (inout [String: Any]) -> Void) throws -> String {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("llama3-tokenizer.json")))
    var contents = try #require(
      try JSONSerialization.jsonObject(with: data) as? [String: Any])
    change(&contents)
    let folder = try TemporaryFolder()
    let changed = try JSONSerialization.data(withJSONObject: contents)
    let path = try folder.write(Array(changed), "tokenizer.json")
    do {
      _ = try BPETokenizer(path)
      return ""
    } catch let error as CorpusError {
      #expect(error.description.contains(path))
      return error.description
    }
  }

  private func changingModel(
    _ change: @escaping (inout [String: Any]) -> Void
  ) throws -> String {
    try refusal { contents in
      var model = contents["model"] as? [String: Any] ?? [:]
      change(&model)
      contents["model"] = model
    }
  }

  @Test func theFixtureItselfIsRead() throws { #expect(try refusal { _ in } == "") }

  @Test func unknownPartsAreNamed() throws {
    #expect(try refusal { $0["normalizer"] = ["type": "NFC"] }.contains("normalizer 'NFC'"))
    #expect(
      try refusal {
        $0["normalizer"] = ["type": "Sequence", "normalizers": [["type": "Lowercase"]]]
      }.contains("normalizer 'Lowercase'"))
    #expect(
      try refusal { $0["pre_tokenizer"] = ["type": "Metaspace"] }
        .contains("pre-tokenizer 'Metaspace'"))
    #expect(
      try refusal { $0["post_processor"] = ["type": "BertProcessing"] }
        .contains("post-processor 'BertProcessing'"))
    #expect(try refusal { $0["decoder"] = ["type": "WordPiece"] }.contains("decoder 'WordPiece'"))
    #expect(try refusal { $0["pre_tokenizer"] = NSNull() }.contains("no pre-tokenizer"))
    #expect(
      try refusal {
        $0["pre_tokenizer"] = [
          "type": "Sequence",
          "pretokenizers": [
            [
              "type": "Split", "pattern": ["Regex": #"\d+"#], "behavior": "Isolated",
              "invert": false,
            ],
            ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false],
          ],
        ]
      }.contains(#"unknown expression '\d+'"#))
    #expect(
      try refusal { $0["pre_tokenizer"] = ["type": "ByteLevel", "add_prefix_space": true] }
        .contains("add_prefix_space"))
  }

  @Test func damagedModelsAreRefused() throws {
    #expect(try changingModel { $0["type"] = "Unigram" }.contains("model type 'Unigram'"))
    #expect(try changingModel { $0["dropout"] = 0.1 }.contains("dropout 0.1"))
    #expect(try changingModel { $0["end_of_word_suffix"] = "</w>" }.contains("'</w>'"))
    #expect(try changingModel { $0["vocab"] = nil }.contains("'vocab' is missing at model"))
    #expect(try changingModel { $0["merges"] = [["a", "b", "c"]] }.contains("not a pair"))
    #expect(try changingModel { $0["merges"] = [["a", "☃"]] }.contains("'☃' is not in"))
    #expect(
      try changingModel { model in
        var vocabulary = model["vocab"] as? [String: Int] ?? [:]
        vocabulary["Ġ"] = nil
        model["vocab"] = vocabulary
      }.contains("no token for the byte 32"))
    #expect(
      try changingModel { model in
        var vocabulary = model["vocab"] as? [String: Int] ?? [:]
        vocabulary["Ġ"] = 1 << 40
        model["vocab"] = vocabulary
      }.contains("the id \(1 << 40)"))
  }

  @Test func whatIsNoTokenizerIsRefused() throws {
    let folder = try TemporaryFolder()
    for (name, text) in [("a", ""), ("b", "{"), ("c", "[]"), ("d", "{\"model\": 3}")] {
      let path = try folder.write(text, "\(name)-tokenizer.json")
      #expect(throws: CorpusError.self) { try BPETokenizer(path) }
    }
    let error = #expect(throws: CorpusError.self) { try BPETokenizer(folder.path + "/none.json") }
    #expect(error?.description.contains("none.json") == true)
  }

  @Test func theEndOfTextIsTheOneNamed() throws {
    let path = Fixtures.path("llama3-tokenizer.json")
    #expect(try BPETokenizer(path).endOfText == 0)
    #expect(try BPETokenizer(path, endOfText: "<|pad|>").endOfText == 1)
    let error = #expect(throws: CorpusError.self) { try BPETokenizer(path, endOfText: "<|no|>") }
    #expect(error?.description.contains("'<|no|>'") == true)
  }
}
