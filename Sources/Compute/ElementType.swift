/// The type of one stored number.
public enum ElementType: String, Sendable, CaseIterable, BitwiseCopyable {
  case float32
  case bfloat16
  case int32
  case uint16

  /// Bytes taken by one element.
  public var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .bfloat16, .uint16: 2
    }
  }
}
