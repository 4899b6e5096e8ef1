import Interchange
import Testing

/// Files that are wrong in one way each get a sentence that names the file and what is wrong; no
/// byte of a header can be changed so that the reader crashes or hands out bytes it does not have.
@Suite struct SafetensorsHostileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func file(length: UInt64? = nil, _ header: [UInt8], data: Int = 0) -> [UInt8] {
    withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian, Array.init) + header
      + [UInt8](repeating: 1, count: data)
  }

  private func sentence(_ content: [UInt8]) throws -> String {
    let path = try folder.write(content, "bad.safetensors")
    do {
      let file = try SafetensorsFile(path)
      return "accepted with \(file.entries.count) tensors"
    } catch let error as InterchangeError {
      #expect(error.description.contains(path))
      return error.description
    }
  }

  @Test(arguments: [
    // The name, then: dtype, shape and offsets of one tensor in front of 8 bytes; the sentence.
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "accepted with 1 tensors"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   "#, "accepted with 1 tensors"),
    (#" {"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "does not start with {"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#, "not JSON"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}x"#, "something follows its end"),
    ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}\u{0}", "something follows"),
    (#"{"t":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}"#, "'t' has an unknown dtype"),
    (#"{"t":{"dtype":4,"shape":[2],"data_offsets":[0,8]}}"#, "'t' has an unknown dtype"),
    (#"{"t":{"shape":[2],"data_offsets":[0,8]}}"#, "'t' has no dtype"),
    (#"{"t":{"dtype":"F32","data_offsets":[0,8]}}"#, "'t' has no shape"),
    (#"{"t":{"dtype":"F32","shape":[2]}}"#, "'t' has no pair of data_offsets"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#, "no pair of data_offsets"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "starts at byte 8 and ends at 0"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}}"#, "needs 8 bytes, but"),
    (#"{"t":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#, "cover 16 bytes, but it holds 8"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "cover 4 bytes, but it holds 8"),
    (#"{"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "not a whole number of 0 or"),
    (#"{"t":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#, "not a whole number of 0 or"),
    (#"{"t":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}"#, "a shape that is no list"),
    (
      #"{"t":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,8]}}"#,
      "too large to be true"
    ),
    (
      #"{"t":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}"#,
      "not a whole number of 0 or more"
    ),
    (#"{"t":7}"#, "'t' is no object"),
    (#"{"__metadata__":{"a":1},"t":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#, "metadata"),
    (#"{"__metadata__":[]}"#, "__metadata__ is no object"),
    (#"[]"#, "does not start with {"),
    (#"{}"#, "cover 0 bytes, but it holds 8"),
    (
      #"{"t":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"t":{"dtype":"U8","shape":[8],"#
        + #""data_offsets":[0,8]}}"#, "the key 't' comes twice"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[5],"#
        + #""data_offsets":[3,8]}}"#, "'b' starts at byte 3, but the one before ends at 5"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[3],"#
        + #""data_offsets":[5,8]}}"#, "'b' starts at byte 5, but the one before ends at 3"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[7],"data_offsets":[1,8]}}"#,
      "'a' starts at byte 1, but the one before ends at 0"
    ),
    (#"{"t":{"dtype":"U8","shape":[08],"data_offsets":[0,8]}}"#, "not JSON"),
    (#"{"t":{"dtype":"U8","shape":[+8],"data_offsets":[0,8]}}"#, "not JSON"),
    (#"{"t":{"dtype":"U8","shape":[8],"data_offsets":[0,8],}}"#, "not JSON"),
    (#"{"\ud800":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#, "half of a surrogate pair"),
    (
      #"{"\ud83d\udc0d":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#,
      "accepted with 1 tensors"
    ),
  ])
  func oneMistake(_ header: String, _ expected: String) throws {
    #expect(try sentence(file(Array(header.utf8), data: 8)).contains(expected))
  }

  @Test func lengthsThatLie() throws {
    let header = Array(#"{"t":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#.utf8)
    let count = header.count
    #expect(try sentence([]).contains("0 bytes, fewer than the 8"))
    #expect(try sentence([1, 2, 3]).contains("3 bytes, fewer than the 8"))
    for length in [UInt64.max, 1 << 63, 100_000_001] {
      #expect(
        try sentence(file(length: length, header, data: 8)).contains("header of \(length) bytes"))
    }
    #expect(
      try sentence(file(length: UInt64(count + 9), header, data: 8)).contains("it was cut off"))
    #expect(try sentence(file(length: UInt64(count - 1), header, data: 8)).contains("not JSON"))
    #expect(try sentence(file(length: 0, header, data: 8)).contains("does not start with {"))
    #expect(try sentence(file(header, data: 9)).contains("something was appended"))
    #expect(try sentence(file(header, data: 7)).contains("it was cut off"))
  }

  @Test func textThatIsNoText() throws {
    let bad: [[UInt8]] = [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x07]]
    for bytes in bad {
      let header = Array(#"{""#.utf8) + bytes + Array(#"":{}}"#.utf8)
      #expect(try sentence(file(header)).contains("not JSON"))
    }
  }

  @Test func deepNestingIsRefusedWithoutExhaustingTheStack() throws {
    for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
      let depth = 1_000_000
      let header =
        "{\"t\":" + String(repeating: open, count: depth) + "0"
        + String(repeating: close, count: depth) + "}"
      #expect(try sentence(file(Array(header.utf8))).contains("nested too deeply"))
    }
  }

  /// Every bit of the length and of the header of a good file is flipped, one at a time.
  @Test func flippedBitsGiveASentenceOrAWholeFile() throws {
    let path = folder.file("good.safetensors")
    try SafetensorsWriter.write(
      [
        TensorToWrite("weights", .float32, shape: [2, 3]) { .floats([1, 2, 3, 4, 5, 6]) },
        TensorToWrite("ids", .int32, shape: [3]) { .int32s([7, 8, 9]) },
        TensorToWrite("mask", .bool, shape: [5]) { .bytes([1, 0, 1, 0, 1]) },
      ], metadata: ["name": "x"], to: path)
    let good = try folder.read("good.safetensors")
    let data = 24 + 12 + 5
    var refused = 0
    for index in 0..<good.count - data {
      for bit in 0..<8 {
        var content = good
        content[index] ^= 1 << UInt8(bit)
        let path = try folder.write(content, "flipped.safetensors")
        do {
          let file = try SafetensorsFile(path)
          // Only what the format cannot protect may differ: spellings of names and metadata, and
          // types and shapes of the same number of bytes. All bytes are handed out, once.
          var handedOut: [UInt8] = []
          for entry in file.entries { handedOut += file.withBytes(of: entry) { Array($0) } }
          #expect(handedOut == Array(good[(good.count - data)...]), "byte \(index), bit \(bit)")
          #expect(file.entries.count == 3)
        } catch let error as InterchangeError {
          refused += 1
          #expect(error.description.contains(path))
        }
      }
    }
    #expect(refused > (good.count - data) * 8 / 2)
  }

  /// A file that is cut anywhere is refused.
  @Test func everyTruncationIsRefused() throws {
    let path = folder.file("good.safetensors")
    try SafetensorsWriter.write(
      [TensorToWrite("weights", .float32, shape: [4]) { .floats([1, 2, 3, 4]) }], to: path)
    let good = try folder.read("good.safetensors")
    for count in 0..<good.count {
      #expect(try !sentence(Array(good[..<count])).contains("accepted"))
    }
  }
}
