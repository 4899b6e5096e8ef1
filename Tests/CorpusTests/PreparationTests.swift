import Corpus
import Foundation
import Testing

@Suite struct PreparationTests {
  /// Texts of many lines, of words and of odd characters.
  private func text(_ seed: UInt64, lines: Int) -> String {
    var random = TestRandom(state: seed)
    let words = ["alpha", "beta", "gamma's", "42", "δ", "\t", "  ", "<|endoftext|>", "{", "🙂"]
    return (0..<lines).map { _ in
      (0..<Int.random(in: 0...12, using: &random)).map { _ in
        words.randomElement(using: &random) ?? ""
      }.joined(separator: " ")
    }.joined(separator: "\n")
  }

  private func prepare(
    _ inputs: [String], _ output: String, _ tokenizer: any Tokenizer = ByteTokenizer(),
    _ change: (inout Preparation) -> Void = { _ in }
  ) throws -> PreparedManifest {
    var preparation = Preparation(inputs, output: output, tokenizer: tokenizer)
    preparation.name = "t"
    change(&preparation)
    return try preparation.run { _ in }
  }

  private func ids(_ folder: String, _ shards: [String]) throws -> [UInt32] {
    try shards.flatMap { name in
      let shard = try TokenShard.open(folder + "/" + name)
      return (0..<shard.count).map { UInt32(shard[$0]) }
    }
  }

  private func contents(_ folder: String) throws -> [String: Data] {
    var all: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      all[name] = FileManager.default.contents(atPath: folder + "/" + name)
    }
    return all
  }

  @Test func documentsFollowTheEndOfText() throws {
    let folder = try TemporaryFolder()
    try folder.write("one", "in/b.txt")
    try folder.write("two\n", "in/a/z.txt")
    try folder.write("", "in/c.txt")
    try folder.write("no", "in/d.bin")
    try folder.write("no", "in/.e.txt")
    try folder.write("{\"id\": 1, \"text\": \"x\\u00e9\\n\"}\n\n{\"text\": \"y\"}", "in/f.jsonl")
    let output = folder.path + "/out"
    let manifest = try prepare([folder.path + "/in"], output) { $0.validation = 0 }
    let expected: [UInt32] = ["two\n", "one", "xé\n", "y"].flatMap {
      [256] + $0.utf8.map(UInt32.init)
    }
    #expect(try ids(output, manifest.train.shards) == expected)
    #expect(manifest.train.documents == 4 && manifest.train.tokens == expected.count)
    #expect(manifest.validation.shards.isEmpty)
    #expect(folder.names == ["in", "out"])
  }

  @Test func theNumberOfThreadsChangesNothing() throws {
    let folder = try TemporaryFolder()
    // A document long enough to be cut into parts, and many short ones.
    try folder.write(text(1, lines: 80_000), "in/+long.txt")
    for index in 0..<150 { try folder.write(text(UInt64(index), lines: 30), "in/\(index).txt") }
    let path = Fixtures.path("llama3-tokenizer.json")
    let tokenizer = try BPETokenizer(path, readsSpecialTokens: false)
    var results: [[String: Data]] = []
    for threads in [1, 2, 5] {
      let output = folder.path + "/out\(threads)"
      _ = try prepare([folder.path + "/in"], output, tokenizer) {
        $0.threads = threads
        $0.tokensPerShard = 200_000
        $0.validation = 7
      }
      results.append(try contents(output))
    }
    #expect(results[0] == results[1] && results[0] == results[2])
    #expect(results[0]["t_train_000002.bin"] != nil)
    #expect(results[0]["tokenizer.json"] == FileManager.default.contents(atPath: path))
  }

  @Test(arguments: ["gpt2", "llama3", "bytes"])
  func longDocumentsAreEncodedAsInOnePiece(kind: String) throws {
    let folder = try TemporaryFolder()
    let long = text(3, lines: 90_000)
    #expect(long.utf8.count > 2_500_000)
    let input = try folder.write(long, "long.txt")
    let tokenizer: any Tokenizer =
      kind == "bytes"
      ? ByteTokenizer()
      : try BPETokenizer(Fixtures.path("\(kind)-tokenizer.json"), readsSpecialTokens: false)
    let manifest = try prepare([input], folder.path + "/out", tokenizer) { $0.validation = 0 }
    let end = try #require(tokenizer.endOfText)
    #expect(
      try ids(folder.path + "/out", manifest.train.shards)
        == [UInt32(end)] + tokenizer.encode(Array(long.utf8)))
  }

  @Test func separatorsCutFilesIntoDocuments() throws {
    let folder = try TemporaryFolder()
    let input = try folder.write("a--b----c--", "x.txt")
    let manifest = try prepare([input], folder.path + "/out") {
      $0.separator = "--"
      $0.validation = 0
    }
    #expect(
      try ids(folder.path + "/out", manifest.train.shards) == [256, 97, 256, 98, 256, 99])
  }

  @Test func aShareOfTheDocumentsIsHeldOut() throws {
    let folder = try TemporaryFolder()
    for index in 0..<40 {
      try folder.write("\(index)", "in/\(index < 10 ? "0" : "")\(index).txt")
    }
    func heldOut(_ validation: Double) throws -> PreparedManifest {
      let output = folder.path + "/out\(validation)"
      return try prepare([folder.path + "/in"], output) { $0.validation = validation }
    }
    let tenth = try heldOut(0.1)
    #expect(tenth.train.documents == 36 && tenth.validation.documents == 4)
    #expect(
      try ids(folder.path + "/out0.1", tenth.validation.shards)
        == ["9", "19", "29", "39"].flatMap { [256] + $0.utf8.map(UInt32.init) })
    let three = try heldOut(3)
    #expect(three.train.documents == 37 && three.validation.documents == 3)
    let error = #expect(throws: CorpusError.self) { try heldOut(40) }
    #expect(error?.description.contains("all 40 documents") == true)
  }

  @Test func ofFewDocumentsTheEndsAreHeldOut() throws {
    let folder = try TemporaryFolder()
    let lines = (0..<1000).map { "line number \($0)\n" }
    let input = try folder.write(lines.joined(), "book.txt")
    let json = try folder.write("{\"text\": \"0123456789\"}\n", "x.jsonl")
    let manifest = try prepare([input, json], folder.path + "/out") { $0.validation = 0.1 }
    let train = try ids(folder.path + "/out", manifest.train.shards).filter { $0 < 256 }
    let held = try ids(folder.path + "/out", manifest.validation.shards)
    let total = lines.joined().utf8.count + 10
    #expect(train.count + held.count { $0 < 256 } == total)
    #expect(held.count { $0 == 256 } == 2)
    // At the start of a line, near a tenth.
    let text = String(decoding: held.compactMap { UInt8(exactly: $0) }, as: UTF8.self)
    #expect(text.hasPrefix("line number 9") && text.hasSuffix("line number 999\n9"))
  }

  @Test func badInputIsToldAndLeavesNothing() throws {
    let folder = try TemporaryFolder()
    try folder.write("x", "ok.txt")
    try folder.write("{\"text\": \"a\"}\n{\"body\": \"b\"}\n", "field.jsonl")
    try folder.write("{\"text\": \"a\"}\nnonsense\n", "bad.jsonl")
    try folder.write("", "empty.txt")
    try folder.write([0x1F, 0x8B, 0, 0], "x.txt.gz")
    try folder.write("c", "sub/x.c")
    try folder.write("mine", "taken/mine.txt")
    func refusal(_ name: String, output: String = "out") throws -> String {
      #expect(throws: CorpusError.self) {
        try prepare([folder.path + "/" + name], folder.path + "/" + output)
      }?.description ?? ""
    }
    let before = folder.names
    #expect(try refusal("none.txt").contains("none.txt' does not exist"))
    #expect(try refusal("field.jsonl").contains("line 2 of"))
    #expect(try refusal("field.jsonl").contains("'text' (fields: body)"))
    #expect(try refusal("bad.jsonl").contains("line 2 of"))
    #expect(try refusal("empty.txt").contains("no text"))
    #expect(try refusal("x.txt.gz").contains("gzip"))
    #expect(try refusal("sub").contains("--extension"))
    #expect(try refusal("ok.txt", output: "taken").contains("already holds 1 files"))
    #expect(try refusal("ok.txt", output: "ok.txt").contains("is a file"))
    #expect(folder.names == before)
    // What prepare did not make it does not replace.
    let error = #expect(throws: CorpusError.self) {
      try prepare([folder.path + "/ok.txt"], folder.path + "/taken") { $0.replaces = true }
    }
    #expect(error?.description.contains("was not made by krait prepare") == true)
    #expect(folder.names == before)
  }

  @Test func whatIsStoppedLeavesNothing() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    let input = try folder.write("some text", "x.txt")
    let preparation = Preparation(
      [input], output: folder.path + "/out", tokenizer: ByteTokenizer())
    #expect(throws: Stop.self) { try preparation.run { _ in throw Stop() } }
    #expect(folder.names == ["x.txt"])
  }

  @Test func aPreparedFolderIsReplacedOnlyWhenAskedTo() throws {
    let folder = try TemporaryFolder()
    let output = folder.path + "/out"
    let first = try folder.write("first", "1.txt")
    let second = try folder.write("second", "2.txt")
    _ = try prepare([first], output)
    let before = try contents(output)
    #expect(throws: CorpusError.self) { try prepare([second], output) }
    #expect(try contents(output) == before)
    _ = try prepare([second], output) { $0.replaces = true }
    #expect(try contents(output) != before)
    #expect(folder.names == ["1.txt", "2.txt", "out"])
  }

  @Test func theTokenizerOfShardsIsFound() throws {
    let folder = try TemporaryFolder()
    let input = try folder.write("some text", "x.txt")
    let path = Fixtures.path("gpt2-tokenizer.json")
    _ = try prepare([input], folder.path + "/a", BPETokenizer(path, endOfText: "<|pad|>"))
    _ = try prepare([input], folder.path + "/b", BPETokenizer(path))
    _ = try prepare(
      [input], folder.path + "/c", BPETokenizer(Fixtures.path("llama3-tokenizer.json")))
    _ = try prepare([input], folder.path + "/d")
    func found(_ names: String...) throws -> BPETokenizer? {
      try PreparedFolder.tokenizer(of: names.map { folder.path + "/" + $0 })
    }
    #expect(try found("a")?.endOfText == 1)
    #expect(try found("b")?.endOfText == 0)
    #expect(try found("b/t_train_000000.bin")?.endOfText == 0)
    #expect(try found("a", "b") != nil)
    #expect(try found("d") == nil)
    for other in ["c", "d"] {
      let error = #expect(throws: CorpusError.self) { try found("a", other) }
      #expect(error?.description.contains("different tokenizers") == true)
    }
  }
}
