import Corpus
import Foundation
import Testing

/// Against ids and texts that Hugging Face `tokenizers` 0.23.3 gave (Scripts/tokenizers).
@Suite struct BPETokenizerTests {
  struct Case: Decodable {
    let text: String
    let gpt2: [UInt32]
    let llama3: [UInt32]
    /// What decoding gives, where that is not the text.
    let gpt2Decoded: String?
    let llama3Decoded: String?
  }

  static let cases = Result {
    try JSONDecoder().decode(
      [Case].self,
      from: Data(contentsOf: URL(fileURLWithPath: Fixtures.path("tokenizer-cases.json"))))
  }

  @Test func theAlphabetIsGPT2s() {
    let alphabet = ByteTokenizer.alphabet
    #expect(alphabet.count == 256 && Set(alphabet).count == 256)
    #expect(alphabet[0x41] == "A")
    #expect(alphabet[0x20] == "\u{120}")
    #expect(alphabet[0x0A] == "\u{10A}")
    #expect(alphabet[0xAD] == "\u{143}")
  }

  @Test(arguments: ["gpt2", "llama3"])
  func idsAndTextsAreThoseOfHuggingFace(kind: String) throws {
    let tokenizer = try BPETokenizer(Fixtures.path("\(kind)-tokenizer.json"))
    let encoder = tokenizer.encoder()
    let cases = try Self.cases.get()
    #expect(cases.count > 500)
    for example in cases {
      let expected = kind == "gpt2" ? example.gpt2 : example.llama3
      let bytes = Array(example.text.utf8)
      #expect(try tokenizer.encode(bytes) == expected, "\(example.text)")
      // The same again with a cache that has seen other texts.
      var ids: [UInt32] = []
      bytes.withUnsafeBufferPointer { encoder.append($0, to: &ids) }
      #expect(ids == expected, "\(example.text)")
      // Hugging Face reads the é of an added token as a letter of the byte alphabet, and decodes
      // it to half a character; Krait gives back what was there.
      if example.text.contains("café") { continue }
      let decoded = (kind == "gpt2" ? example.gpt2Decoded : example.llama3Decoded) ?? example.text
      #expect(tokenizer.decode(expected) == Array(decoded.utf8), "\(example.text)")
    }
  }

  @Test func anyBytesComeBack() throws {
    let tokenizer = try BPETokenizer(Fixtures.path("llama3-tokenizer.json"))
    #expect(tokenizer.isLossless)
    var random = TestRandom(state: 5)
    for length in [0, 1, 2, 3, 7, 40, 400, 5000] {
      for _ in 0..<50 {
        // Mostly what looks like UTF-8 but is cut, overlong or a surrogate.
        let bytes = (0..<length).map { _ -> UInt8 in
          [0xE2, 0x82, 0xAC, 0xED, 0xA0, 0xC0, 0xF4, 0x90, 0x20, 0x61, 0xFF, 0x0A]
            .randomElement(using: &random) ?? 0
        }
        #expect(tokenizer.decode(try tokenizer.encode(bytes)) == bytes)
      }
    }
  }

  @Test func specialTokensCanBeTakenAsText() throws {
    let path = Fixtures.path("llama3-tokenizer.json")
    let text = Array("a<|endoftext|>b".utf8)
    #expect(try BPETokenizer(path).encode(text).contains(0))
    let plain = try BPETokenizer(path, readsSpecialTokens: false)
    #expect(try !plain.encode(text).contains(0))
    #expect(plain.decode(try plain.encode(text)) == text)
    #expect(plain.endOfText == 0)
  }

  @Test func longPiecesMergeAsShortOnes() throws {
    // A run of letters is one piece: with the heap (long) as with the search (short).
    let tokenizer = try BPETokenizer(Fixtures.path("gpt2-tokenizer.json"))
    var random = TestRandom(state: 9)
    for _ in 0..<200 {
      let text = (0..<Int.random(in: 30...60, using: &random)).map { _ in
        UInt8.random(in: 0x61...0x6A, using: &random)
      }
      var expected = text.flatMap { (try? tokenizer.encode([$0])) ?? [] }
      naiveMerge(&expected, tokenizer)
      #expect(try tokenizer.encode(text) == expected)
    }
  }

  /// Merges by trying every pair: the pair whose merged token has the lowest id is that of lowest
  /// rank in a vocabulary that was trained from bytes.
  private func naiveMerge(_ ids: inout [UInt32], _ tokenizer: BPETokenizer) {
    while true {
      var best: (index: Int, id: UInt32)?
      for index in ids.indices.dropLast() {
        let joined = tokenizer.decode([ids[index], ids[index + 1]])
        guard let merged = tokenizer.mergedToken(ids[index], ids[index + 1]) else { continue }
        #expect(tokenizer.decode([merged]) == joined)
        if merged < best?.id ?? .max { best = (index, merged) }
      }
      guard let best else { return }
      ids[best.index] = best.id
      ids.remove(at: best.index + 1)
    }
  }
}
