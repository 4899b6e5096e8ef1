/// The few fields of TensorBoard's `Event` message that a trainer writes, in protobuf encoding.
///
/// Written by hand: swift-protobuf's package compiles all of protoc, more than 15 minutes on two
/// cores, for seven fields. Field numbers: tensorflow/core/util/event.proto and summary.proto.
package struct EventMessage {
  private var bytes: [UInt8] = []

  /// Event with `wall_time` (field 1, seconds).
  package init(wallTime: Double) {
    tag(1, wire: 1)
    append(wallTime.bitPattern)
  }

  /// `step` (field 2); zero is the default and not written.
  package mutating func setStep(_ step: Int) {
    guard step != 0 else { return }
    tag(2, wire: 0)
    varint(UInt64(bitPattern: Int64(step)))
  }

  /// `file_version` (field 3).
  package mutating func setFileVersion(_ version: String) { text(3, version) }

  /// `session_log` (field 7) with status START.
  package mutating func setSessionStart() { message(7, [0x08, 0x01]) }

  /// `summary` (field 5) with one scalar: tag and `simple_value`.
  package mutating func setScalar(_ name: String, _ value: Float) {
    var scalar = EventMessage()
    scalar.text(1, name)
    scalar.tag(2, wire: 5)
    scalar.append(value.bitPattern)
    var summary = EventMessage()
    summary.message(1, scalar.bytes)
    message(5, summary.bytes)
  }

  private init() {}

  /// The message framed as a record: length, checksum, message, checksum.
  package var record: [UInt8] {
    let length = withUnsafeBytes(of: UInt64(bytes.count).littleEndian, Array.init)
    var result = length
    result += withUnsafeBytes(of: CRC32C.masked(length).littleEndian, Array.init)
    result += bytes
    result += withUnsafeBytes(of: CRC32C.masked(bytes).littleEndian, Array.init)
    return result
  }

  private mutating func tag(_ field: Int, wire: Int) { varint(UInt64(field << 3 | wire)) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  private mutating func text(_ field: Int, _ value: String) { message(field, Array(value.utf8)) }

  private mutating func message(_ field: Int, _ content: [UInt8]) {
    tag(field, wire: 2)
    varint(UInt64(content.count))
    bytes += content
  }
}
