/// Reads the part of a GGUF file before its data, never past its end.
struct GGUFCursor {
  private let file: MappedBytes
  private(set) var position = 0

  init(_ file: MappedBytes) { self.file = file }

  func refuse(_ sentence: String) -> InterchangeError {
    InterchangeError("'\(file.path)' is not a valid GGUF file: \(sentence)")
  }

  mutating func take(_ count: Int) throws -> [UInt8] {
    guard count <= file.bytes.count - position else {
      throw refuse("it ends within its header, after \(file.bytes.count) bytes; it was cut off")
    }
    defer { position += count }
    return Array(file.bytes[position..<position + count])
  }

  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    let size = MemoryLayout<Value>.size
    guard size <= file.bytes.count - position else {
      throw refuse("it ends within its header, after \(file.bytes.count) bytes; it was cut off")
    }
    defer { position += size }
    return Value(
      littleEndian: file.bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
  }

  /// A number of things that take at least so many bytes each, so that it cannot be a lie.
  mutating func count(minimumBytes: Int) throws -> Int {
    let value = try integer(UInt64.self)
    guard value <= UInt64((file.bytes.count - position) / minimumBytes) else {
      throw refuse("it announces \(value) entries, more than its \(file.bytes.count) bytes hold")
    }
    return Int(value)
  }

  mutating func text() throws -> String {
    let bytes = try take(count(minimumBytes: 1))
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw refuse("a text before byte \(position) is not UTF-8")
    }
    return text
  }

  mutating func value() throws -> GGUFValue {
    let type = try integer(UInt32.self)
    guard type == 9 else { return try scalar(type) }
    let element = try integer(UInt32.self)
    switch element {
    case 8: return .strings(try repeated(8) { try $0.text() })
    case 5: return .int32s(try repeated(4) { try $0.integer(Int32.self) })
    case 9: throw refuse("it holds a list of lists, which krait does not read")
    default:
      _ = try repeated(1) { _ = try $0.scalar(element) }
      return .other(type)
    }
  }

  private mutating func repeated<Item>(
    _ minimumBytes: Int, _ item: (inout GGUFCursor) throws -> Item
  ) throws -> [Item] {
    var result: [Item] = []
    for _ in 0..<(try count(minimumBytes: minimumBytes)) { result.append(try item(&self)) }
    return result
  }

  private mutating func scalar(_ type: UInt32) throws -> GGUFValue {
    switch type {
    case 0, 1:
      _ = try take(1)
      return .other(type)
    case 2, 3:
      _ = try take(2)
      return .other(type)
    case 4: return .uint32(try integer(UInt32.self))
    case 5: return .int32(try integer(Int32.self))
    case 6: return .float32(Float(bitPattern: try integer(UInt32.self)))
    case 7: return .bool(try integer(UInt8.self) != 0)
    case 8: return .string(try text())
    case 10: return .uint64(try integer(UInt64.self))
    case 11, 12:
      _ = try take(8)
      return .other(type)
    default: throw refuse("a value has the unknown type \(type)")
    }
  }

  mutating func tensor() throws -> (
    name: String, shape: [Int], type: TensorType?, offset: Int
  ) {
    let name = try text()
    let rank = try integer(UInt32.self)
    guard rank <= 8 else { throw refuse("the tensor '\(name)' has \(rank) dimensions") }
    var shape: [Int] = []
    // Zeros count as ones, so that the product is safe in any order.
    var size = 8
    for _ in 0..<rank {
      let extent = try integer(UInt64.self)
      guard let value = Int(exactly: extent) else {
        throw refuse("the tensor '\(name)' has a size of \(extent)")
      }
      let (product, overflow) = size.multipliedReportingOverflow(by: max(1, value))
      guard !overflow else { throw refuse("the tensor '\(name)' is too large to be true") }
      size = product
      shape.insert(value, at: 0)
    }
    let number = try integer(UInt32.self)
    let offset = try integer(UInt64.self)
    guard let start = Int(exactly: offset) else {
      throw refuse("the tensor '\(name)' starts at byte \(offset)")
    }
    return (name, shape, TensorType.allCases.first { $0.ggufNumber == number }, start)
  }
}
