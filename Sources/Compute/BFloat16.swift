/// A 16-bit float with Float's exponent: storage only, arithmetic happens in Float.
///
/// Conversion rounds to nearest, ties to even; a NaN stays a (quiet) NaN.
public struct BFloat16: Sendable, BitwiseCopyable, Equatable {
  /// Sign, eight exponent bits and seven mantissa bits.
  public var bitPattern: UInt16

  /// Takes the bits as they are.
  @inlinable
  public init(bitPattern: UInt16) {
    self.bitPattern = bitPattern
  }

  /// Rounds a Float to nearest, ties to even.
  @inlinable
  public init(_ value: Float) {
    let bits = value.bitPattern
    if value.isNaN {
      // Truncation could turn a NaN whose payload sits in the low half into an infinity.
      bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x0040
    } else {
      let rounding = 0x7FFF + ((bits >> 16) & 1)
      bitPattern = UInt16(truncatingIfNeeded: (bits &+ rounding) >> 16)
    }
  }

  /// The same number as a Float, exactly.
  @inlinable
  public var float: Float {
    Float(bitPattern: UInt32(bitPattern) << 16)
  }
}
