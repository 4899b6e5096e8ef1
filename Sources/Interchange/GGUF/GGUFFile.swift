/// A GGUF file, memory-mapped; everything before its data was checked when it was opened.
public final class GGUFFile: Sendable {
  /// One tensor's entry.
  public struct Entry: Sendable, Equatable {
    /// Its name.
    public let name: String
    /// Its element type; nil for types that Krait does not read, quantized ones among them.
    public let type: TensorType?
    /// Its sizes, outermost first.
    public let shape: [Int]
    let offset: Int

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
  }

  /// Where it came from.
  public let path: String
  /// All metadata, in the order of the file.
  public let metadata: [(String, GGUFValue)]
  /// All tensors, in the order of the file.
  public let entries: [Entry]
  private let file: MappedBytes

  /// Opens and checks a file.
  ///
  /// - Throws: `InterchangeError` that names the file and what is wrong with it.
  public init(_ path: String) throws {
    self.path = path
    file = try MappedBytes(path)
    var cursor = GGUFCursor(file)
    guard try cursor.take(4) == GGUFWriter.magic else {
      throw cursor.refuse("it does not start with GGUF")
    }
    let version = try cursor.integer(UInt32.self)
    guard version == GGUFWriter.version else {
      throw cursor.refuse("its version is \(version); krait reads \(GGUFWriter.version)")
    }
    let tensorCount = try cursor.count(minimumBytes: 24)
    let pairCount = try cursor.count(minimumBytes: 13)
    var metadata: [(String, GGUFValue)] = []
    for _ in 0..<pairCount {
      metadata.append((try cursor.text(), try cursor.value()))
    }
    self.metadata = metadata
    var alignment = GGUFWriter.alignment
    if let given = metadata.first(where: { $0.0 == "general.alignment" })?.1.integer {
      guard given > 0, given <= 1 << 20, given % 8 == 0 else {
        throw cursor.refuse("general.alignment is \(given)")
      }
      alignment = given
    }
    var infos: [(name: String, shape: [Int], type: TensorType?, offset: Int)] = []
    for _ in 0..<tensorCount { infos.append(try cursor.tensor()) }
    let dataStart = (cursor.position + alignment - 1) / alignment * alignment
    var entries: [Entry] = []
    for info in infos {
      guard info.offset % alignment == 0 else {
        throw cursor.refuse(
          "the tensor '\(info.name)' starts at byte \(info.offset), no multiple of \(alignment)")
      }
      let available = file.bytes.count - dataStart
      let bytes = info.shape.reduce(info.type?.byteCount ?? 0, *)
      guard info.offset <= available, bytes <= available - info.offset else {
        throw cursor.refuse(
          "the tensor '\(info.name)' of shape \(info.shape) does not fit: it was cut off")
      }
      entries.append(
        Entry(
          name: info.name, type: info.type, shape: info.shape, offset: dataStart + info.offset))
    }
    guard Set(entries.map(\.name)).count == entries.count else {
      throw cursor.refuse("two of its tensors have the same name")
    }
    self.entries = entries
  }

  /// The metadata of a key, or nil.
  public subscript(_ key: String) -> GGUFValue? { metadata.first { $0.0 == key }?.1 }

  /// The entry of a name, or nil.
  public func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }

  /// A tensor of type F32, F16 or BF16 as Floats.
  public func floats(_ entry: Entry) throws -> [Float] {
    guard let type = entry.type, [.float32, .float16, .bfloat16].contains(type) else {
      throw InterchangeError(
        "'\(path)': the tensor '\(entry.name)' is not of type F32, F16 or BF16")
    }
    let end = entry.offset + entry.count * type.byteCount
    return HalfPrecision.floats(
      UnsafeRawBufferPointer(rebasing: file.bytes[entry.offset..<end]), type: type)
  }
}
