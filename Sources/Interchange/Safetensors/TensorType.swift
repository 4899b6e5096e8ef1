/// Element types of safetensors files.
public enum TensorType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8e5m2 = "F8_E5M2"
  case float8e4m3 = "F8_E4M3"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .float64, .int64, .uint64: 8
    }
  }
}

/// Conversions between Float and the 16-bit types of files.
public enum HalfPrecision {
  /// The elements of a tensor of type F32, BF16 or F16.
  static func floats(_ bytes: UnsafeRawBufferPointer, type: TensorType) -> [Float] {
    let count = bytes.count / type.byteCount
    return [Float](unsafeUninitializedCapacity: count) { result, initialized in
      switch type {
      case .bfloat16:
        for index in 0..<count {
          result[index] = float(
            bfloat16: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
        }
      case .float16:
        for index in 0..<count {
          result[index] = float(
            float16: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
        }
      default:
        precondition(type == .float32, "a tensor of type \(type.rawValue) as Floats")
        for index in 0..<count {
          result[index] = bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
        }
      }
      initialized = count
    }
  }

  /// What a Float becomes in a file of a type, read back.
  public static func rounded(_ value: Float, to type: TensorType) -> Float {
    switch type {
    case .bfloat16: float(bfloat16: bfloat16(value))
    case .float16: float(float16: float16(value))
    default: value
    }
  }

  /// Rounds to bfloat16: nearest, ties to even; a NaN stays a quiet NaN.
  public static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x0040 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
  }

  /// The exact value of a bfloat16.
  public static func float(bfloat16 bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  /// Rounds to IEEE half precision: nearest, ties to even; too large becomes infinite.
  public static func float16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16((bits >> 16) & 0x8000)
    let exponent = Int((bits >> 23) & 0xFF) - 127
    let mantissa = bits & 0x7F_FFFF
    if exponent == 128 { return sign | 0x7C00 | (mantissa == 0 ? 0 : 0x0200) }
    if exponent > 15 { return sign | 0x7C00 }
    if exponent < -25 { return sign }
    let full = mantissa | 0x80_0000
    let shift = exponent >= -14 ? 13 : 13 + (-14 - exponent)
    let kept = full >> UInt32(shift)
    let rest = full & ((1 << UInt32(shift)) - 1)
    let half: UInt32 = 1 << UInt32(shift - 1)
    let rounded = kept + (rest > half || (rest == half && kept & 1 == 1) ? 1 : 0)
    let base: UInt32 = exponent >= -14 ? UInt32(exponent + 14) << 10 : 0
    return sign | UInt16(truncatingIfNeeded: min(base + rounded, 0x7C00))
  }

  /// The exact value of an IEEE half.
  public static func float(float16 bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int((bits >> 10) & 0x1F)
    let mantissa = Float(bits & 0x3FF)
    switch exponent {
    case 0: return sign * mantissa * 0x1p-24
    case 31: return mantissa == 0 ? sign * .infinity : .nan
    default:
      return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + mantissa / 1024)
    }
  }
}
