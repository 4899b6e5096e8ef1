import Interchange
import Testing

@Suite struct GGUFTests {
  /// The bytes that the package gguf 0.19.0 writes for the same tensors and metadata.
  @Test func bytesEqualTheReferencePackages() throws {
    let folder = try TemporaryFolder()
    try GGUFWriter.write(
      [
        TensorToWrite("t", .float32, shape: [2, 3]) { .floats([0, 1, 2, 3, 4, 5]) },
        TensorToWrite("h", .float16, shape: [3]) { .floats([1, 2, 3]) },
      ],
      metadata: [
        ("general.architecture", .string("arcee")), ("a.count", .uint32(7)),
        ("a.x", .float32(0.5)), ("a.flag", .bool(true)), ("a.words", .strings(["x", "yz"])),
        ("a.ids", .int32s([1, -2])),
      ], to: folder.file("x.gguf"))
    let expected = bytes(
      hex: """
        4747554603000000020000000000000006000000000000001400000000000000
        67656e6572616c2e617263686974656374757265080000000500000000000000
        61726365650700000000000000612e636f756e74040000000700000003000000
        00000000612e78060000000000003f0600000000000000612e666c6167070000
        00010700000000000000612e776f726473090000000800000002000000000000
        000100000000000000780200000000000000797a0500000000000000612e6964
        730900000005000000020000000000000001000000feffffff01000000000000
        0074020000000300000000000000020000000000000000000000000000000000
        0000010000000000000068010000000300000000000000010000002000000000
        0000000000000000000000000000000000000000000000000000000000000000
        000000000000803f0000004000004040000080400000a0400000000000000000
        003c004000420000000000000000000000000000000000000000000000000000
        """)
    #expect(try folder.read("x.gguf") == expected)
  }

  @Test func tensorsAndMetadataComeBack() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.gguf")
    let values: [Float] = [1, -2, 0.5, 3, 4, -0.25]
    let metadata: [(String, GGUFValue)] = [
      ("a", .uint64(1 << 40)), ("b", .int32(-5)), ("c", .strings([])),
      ("d", .string("\u{120}\u{1F40D}")), ("e", .float32(1e-5)), ("f", .bool(false)),
    ]
    try GGUFWriter.write(
      [TensorType.float32, .float16, .bfloat16].map { type in
        TensorToWrite(type.rawValue, type, shape: [3, 2]) { .floats(values) }
      }, metadata: metadata, to: path)
    let file = try GGUFFile(path)
    #expect(file.metadata.map(\.0) == metadata.map(\.0))
    #expect(file.metadata.map(\.1) == metadata.map(\.1))
    for entry in file.entries {
      #expect(entry.shape == [3, 2])
      #expect(try file.floats(entry) == values)
    }
    #expect(file["a"]?.integer == 1 << 40)
    #expect(file.entry("none") == nil)
  }

  /// Cut anywhere, or with any bit of its header flipped, a file gives a sentence or is readable.
  @Test func damageGivesASentence() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.gguf")
    try GGUFWriter.write(
      [
        TensorToWrite("first", .float32, shape: [2, 4]) { .floats([1, 2, 3, 4, 5, 6, 7, 8]) },
        TensorToWrite("second", .bfloat16, shape: [3]) { .floats([1, 2, 3]) },
      ],
      metadata: [
        ("general.architecture", .string("arcee")), ("words", .strings(["a", "bc"])),
        ("ids", .int32s([1, 2, 3])), ("general.alignment", .uint32(32)),
      ], to: path)
    let good = try folder.read("x.gguf")
    // The padding after the last tensor belongs to no tensor.
    for count in 0..<good.count - 26 {
      let path = try folder.write(Array(good[..<count]), "cut.gguf")
      #expect(throws: InterchangeError.self) { try GGUFFile(path) }
    }
    for index in 0..<good.count - 64 {
      for bit in 0..<8 {
        var content = good
        content[index] ^= 1 << UInt8(bit)
        let path = try folder.write(content, "flipped.gguf")
        do {
          let file = try GGUFFile(path)
          for entry in file.entries where entry.type != nil {
            if let values = try? file.floats(entry) { #expect(values.count == entry.count) }
          }
        } catch let error as InterchangeError {
          #expect(error.description.contains(path))
        }
      }
    }
  }

  @Test func rotatedRowsGoThereAndBack() {
    // Two heads of width 4 and one column: rows 0 1 2 3 of a head become 0 2 1 3.
    let rows: [Float] = [0, 1, 2, 3, 10, 11, 12, 13]
    let interleaved = ArceeGGUF.interleave(rows, headWidth: 4, columns: 1)
    #expect(interleaved == [0, 2, 1, 3, 10, 12, 11, 13])
    let wide = (0..<6 * 3 * 5).map(Float.init)
    let there = ArceeGGUF.interleave(wide, headWidth: 6, columns: 5)
    #expect(there != wide)
    #expect(ArceeGGUF.interleave(there, headWidth: 6, columns: 5, restore: true) == wide)
  }

  @Test func bytesComeFirstAndPaddingHasNames() throws {
    let alphabet = (0..<256).map { "byte \($0)" }
    let tokenizer = GGUFTokenizer.bytes(alphabet: alphabet, vocabulary: 260)
    #expect(tokenizer.tokens.count == 260)
    #expect(Array(tokenizer.tokens.prefix(256)) == alphabet)
    #expect(tokenizer.tokens[256] == "<|endoftext|>")
    #expect(tokenizer.tokens[257] == "[PAD257]")
    let metadata = Dictionary(tokenizer.metadata) { first, _ in first }
    #expect(metadata["tokenizer.ggml.model"] == .string("gpt2"))
    #expect(metadata["tokenizer.ggml.pre"] == .string("gpt-2"))
    #expect(metadata["tokenizer.ggml.eos_token_id"] == .uint32(256))
    #expect(
      metadata["tokenizer.ggml.token_type"]
        == .int32s([Int32](repeating: 1, count: 256) + [3, 5, 5, 5]))
  }
}
