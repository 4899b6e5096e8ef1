import Interchange
import Testing

@Suite struct SafetensorsRoundTripTests {
  /// The file that the reference library, version 0.8.0, makes of the same tensors.
  @Test func bytesEqualTheReferenceLibrarys() throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      [
        TensorToWrite("a", .int8, shape: [1, 3]) { .bytes([1, 2, 3]) },
        TensorToWrite("b", .float32, shape: [2]) { .floats([1, 2]) },
      ], to: folder.file("x.safetensors"))
    let expected =
      bytes(hex: "9000000000000000")
      + Array(
        (#"{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
          + #""a":{"dtype":"I8","shape":[1,3],"data_offsets":[8,11]}}    "#).utf8)
      + bytes(hex: "0000803f 00000040 010203")
    #expect(try folder.read("x.safetensors") == expected)
    #expect(folder.names == ["x.safetensors"])
  }

  @Test(arguments: TensorType.allCases) func everyTypeComesBack(_ type: TensorType) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.safetensors")
    let count = 15
    let content = (0..<count * type.byteCount).map { UInt8(truncatingIfNeeded: 37 * $0 + 11) }
    // A byte tensor first in the alphabet: its odd length must not shift the others.
    try SafetensorsWriter.write(
      [
        TensorToWrite("a", .uint8, shape: [3]) { .bytes([7, 8, 9]) },
        TensorToWrite("t", type, shape: [3, 1, 5]) { .bytes(content) },
        TensorToWrite("empty", type, shape: [0, 4]) { .bytes([]) },
        TensorToWrite("scalar", type, shape: []) { .bytes(Array(content[..<type.byteCount])) },
      ], metadata: ["note": "quote \" back \\ line \n bell \u{7} caf\u{E9} \u{1F40D}"], to: path)
    let file = try SafetensorsFile(path)
    #expect(file.metadata["note"] == "quote \" back \\ line \n bell \u{7} caf\u{E9} \u{1F40D}")
    #expect(file.metadata["format"] == "pt")
    let entry = try #require(file.entry("t"))
    #expect(entry.type == type)
    #expect(entry.shape == [3, 1, 5])
    #expect(file.withBytes(of: entry) { Array($0) } == content)
    #expect(file.entry("empty")?.count == 0)
    let scalar = try #require(file.entry("scalar"))
    #expect(file.withBytes(of: scalar) { Array($0) } == Array(content[..<type.byteCount]))
    // Header and data start on multiples of 8, and every tensor on one of its element's size.
    let raw = try folder.read("x.safetensors")
    let header = raw[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(header % 8 == 0)
    let start = file.withBytes(of: entry) { bytes in bytes.baseAddress.map { Int(bitPattern: $0) } }
    #expect((start ?? 1) % type.byteCount == 0)
  }

  @Test func sixteenBitTypesRoundToTheNearest() throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [0, -0.0, 1, -1.5, 65504, 1e-8, 3.14159265, .infinity, 1.00390625]
    for type in [TensorType.bfloat16, .float16] {
      let path = folder.file("\(type.rawValue).safetensors")
      try SafetensorsWriter.write(
        [TensorToWrite("t", type, shape: [values.count]) { .floats(values) }], to: path)
      let read = try SafetensorsFile(path).floats("t", count: values.count)
      #expect(
        read.map(\.bitPattern) == values.map { HalfPrecision.rounded($0, to: type).bitPattern })
      #expect(read[1].sign == .minus)
      #expect(read[7] == .infinity)
    }
    #expect(HalfPrecision.rounded(1.00390625, to: .bfloat16) == 1)  // a tie goes to even
    #expect(HalfPrecision.rounded(65520, to: .float16) == .infinity)
    #expect(HalfPrecision.rounded(0x1p-24, to: .float16) == 0x1p-24)
    #expect(HalfPrecision.rounded(0x1p-25, to: .float16) == 0)
    #expect(HalfPrecision.rounded(.nan, to: .bfloat16).isNaN)
  }

  /// Every half-precision number keeps its bits, and every bfloat16 too.
  @Test func allSixteenBitPatternsSurvive() {
    for bits in UInt16.min...UInt16.max {
      let half = HalfPrecision.float(float16: bits)
      if !half.isNaN { #expect(HalfPrecision.float16(half) == bits) }
      let brain = HalfPrecision.float(bfloat16: bits)
      if !brain.isNaN { #expect(HalfPrecision.bfloat16(brain) == bits) }
    }
  }

  @Test func whatIsAskedForWronglyIsNamed() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.safetensors")
    try SafetensorsWriter.write(
      [
        TensorToWrite("ids", .int32, shape: [2]) { .int32s([3, -4]) },
        TensorToWrite("w", .float32, shape: [2]) { .floats([1, 2]) },
      ], to: path)
    let file = try SafetensorsFile(path)
    #expect(try file.int32s("ids") == [3, -4])
    func sentence(_ body: () throws -> Void) -> String {
      do {
        try body()
        return ""
      } catch { return "\(error)" }
    }
    #expect(sentence { _ = try file.floats("x") } == "'\(path)' has no tensor 'x'")
    #expect(sentence { _ = try file.floats("ids") }.contains("has type I32; F32, BF16 or F16"))
    #expect(sentence { _ = try file.int32s("w") }.contains("has type F32; I32 is expected"))
    #expect(sentence { _ = try file.floats("w", count: 3) }.contains("[2], 2 elements; 3 are"))
    #expect(sentence { _ = try SafetensorsFile(folder.file("no")) }.contains("check the path"))
    #expect(sentence { _ = try SafetensorsFile(folder.path) }.contains("is not a file"))
  }
}
