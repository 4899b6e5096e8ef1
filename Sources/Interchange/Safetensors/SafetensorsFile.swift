import Glibc

/// A safetensors file, memory-mapped; everything in its header was checked when it was opened.
public final class SafetensorsFile: Sendable {
  /// One tensor's entry.
  public struct Entry: Sendable, Equatable {
    /// Its name.
    public let name: String
    /// Its element type.
    public let type: TensorType
    /// Its sizes, outermost first.
    public let shape: [Int]
    /// Its bytes within the data.
    let range: Range<Int>

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
  }

  /// Where it came from.
  public let path: String
  /// All tensors, in the order of the header.
  public let entries: [Entry]
  /// The `__metadata__` map.
  public let metadata: [String: String]
  private let byName: [String: Int]
  private let file: MappedBytes
  private let dataOffset: Int

  /// Opens and checks a file.
  ///
  /// - Throws: `InterchangeError` that names the file, the tensor and the numbers that disagree.
  public init(_ path: String) throws {
    self.path = path
    file = try MappedBytes(path)
    let header = try SafetensorsHeader(file)
    entries = header.tensors.map {
      Entry(name: $0.name, type: $0.type, shape: $0.shape, range: $0.range)
    }
    metadata = header.metadata
    dataOffset = header.dataOffset
    byName = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
  }

  /// The entry of a name, or nil.
  public func entry(_ name: String) -> Entry? { byName[name].map { entries[$0] } }

  /// The raw bytes of a tensor, row-major, little-endian.
  public func withBytes<Result>(
    of entry: Entry, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    let range = dataOffset + entry.range.lowerBound..<dataOffset + entry.range.upperBound
    return try body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
  }

  /// A tensor of a floating-point type as Floats.
  ///
  /// - Throws: `InterchangeError` when it is missing, of another type or another number of elements.
  public func floats(_ name: String, count: Int? = nil) throws -> [Float] {
    let entry = try required(name, count: count)
    guard [.float32, .bfloat16, .float16].contains(entry.type) else {
      throw InterchangeError(
        "'\(path)': the tensor '\(name)' has type \(entry.type.rawValue); F32, BF16 or F16 is "
          + "expected")
    }
    return withBytes(of: entry) { HalfPrecision.floats($0, type: entry.type) }
  }

  /// A tensor of 32-bit integers.
  public func int32s(_ name: String) throws -> [Int32] {
    let entry = try required(name, count: nil)
    guard entry.type == .int32 else {
      throw InterchangeError(
        "'\(path)': the tensor '\(name)' has type \(entry.type.rawValue); I32 is expected")
    }
    return withBytes(of: entry) { bytes in
      (0..<entry.count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
    }
  }

  private func required(_ name: String, count: Int?) throws -> Entry {
    guard let entry = entry(name) else {
      throw InterchangeError("'\(path)' has no tensor '\(name)'")
    }
    if let count, entry.count != count {
      throw InterchangeError(
        "'\(path)': the tensor '\(name)' has the shape \(entry.shape), \(entry.count) elements; "
          + "\(count) are expected")
    }
    return entry
  }
}
