/// A value of a GGUF file's metadata, of the types that model files use.
///
/// Source: ggml-org/ggml, `docs/gguf.md`, version 3.
public enum GGUFValue: Sendable, Equatable {
  case uint32(UInt32)
  case int32(Int32)
  case float32(Float)
  case bool(Bool)
  case string(String)
  case uint64(UInt64)
  case strings([String])
  case int32s([Int32])
  /// A value of a type that model files of Krait do not use, kept as the number of its type.
  case other(UInt32)

  /// The number of the type in the file.
  var typeNumber: UInt32 {
    switch self {
    case .uint32: 4
    case .int32: 5
    case .float32: 6
    case .bool: 7
    case .string: 8
    case .strings, .int32s: 9
    case .uint64: 10
    case .other(let number): number
    }
  }

  /// The bytes after the type.
  var bytes: [UInt8] {
    switch self {
    case .uint32(let value): GGUFValue.littleEndian(value)
    case .int32(let value): GGUFValue.littleEndian(value)
    case .float32(let value): GGUFValue.littleEndian(value.bitPattern)
    case .bool(let value): [value ? 1 : 0]
    case .string(let text): GGUFValue.text(text)
    case .uint64(let value): GGUFValue.littleEndian(value)
    case .strings(let texts):
      GGUFValue.littleEndian(UInt32(8)) + GGUFValue.littleEndian(UInt64(texts.count))
        + texts.flatMap(GGUFValue.text)
    case .int32s(let values):
      GGUFValue.littleEndian(UInt32(5)) + GGUFValue.littleEndian(UInt64(values.count))
        + values.flatMap { GGUFValue.littleEndian($0) }
    case .other(let number): preconditionFailure("a value of type \(number) is only ever read")
    }
  }

  /// The value as a whole number, or nil.
  public var integer: Int? {
    switch self {
    case .uint32(let value): Int(value)
    case .int32(let value): Int(value)
    case .uint64(let value): Int(exactly: value)
    default: nil
    }
  }

  /// For people; long lists are cut.
  public var summary: String {
    switch self {
    case .uint32(let value): "\(value)"
    case .int32(let value): "\(value)"
    case .float32(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .string(let text): text.count > 60 ? "\(text.prefix(60))..." : text
    case .uint64(let value): "\(value)"
    case .strings(let texts): "\(texts.count) strings"
    case .int32s(let values): "\(values.count) numbers"
    case .other(let number): "a value of type \(number)"
    }
  }

  static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }

  static func text(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    return littleEndian(UInt64(bytes.count)) + bytes
  }
}

extension TensorType {
  /// The number of the type in GGUF files; nil when GGUF has none for it.
  var ggufNumber: UInt32? {
    switch self {
    case .float32: 0
    case .float16: 1
    case .int8: 24
    case .int16: 25
    case .int32: 26
    case .int64: 27
    case .float64: 28
    case .bfloat16: 30
    default: nil
    }
  }
}
