import Foundation
import Interchange
import Testing

@Suite struct EventFileTests {
  @Test func checksumsOfKnownVectors() {
    #expect(CRC32C.checksum([]) == 0)
    #expect(CRC32C.masked([]) == 0xA282_EAD8)
    #expect(CRC32C.masked(Array("123456789".utf8)) == 0xC78A_B0E5)
    // RFC 3720, B.4.
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
  }

  /// Records that TensorBoard 2.21 loads.
  @Test func recordsEqualTensorBoards() {
    var version = EventMessage(wallTime: 1_700_000_000)
    version.setFileVersion("brain.Event:2")
    #expect(
      version.record
        == bytes(
          hex: """
            1800000000000000a37f4b220900000040fc54d9411a0d627261696e2e4576656e743a32eced8f9d
            """))
    var scalar = EventMessage(wallTime: 1_700_000_001)
    scalar.setStep(1)
    scalar.setScalar("loss", 2.5)
    #expect(
      scalar.record
        == bytes(
          hex: """
            1a00000000000000129bd82d0900004040fc54d94110012a0d0a0b0a046c6f737315000020409636
            2a1a
            """))
  }

  @Test func aFileStartsWithItsVersionAndASessionAtItsFirstStep() throws {
    let folder = try TemporaryFolder()
    let writer = try EventWriter(folder: folder.path, startStep: 301)
    try writer.scalar("loss", 2.5, step: 301)
    try writer.flush()
    let name = try #require(folder.names.first)
    #expect(name.hasPrefix("events.out.tfevents."))
    let records = try EventRecord.read(folder.read(name))
    #expect(records.count == 3)
    // Field 3, file_version.
    #expect(records[0].payload.suffix(15) == [0x1A, 13] + Array("brain.Event:2".utf8))
    // Field 2, step 301 as a varint, then field 7, SessionLog, with status START.
    #expect(records[1].payload.suffix(7) == [0x10, 0xAD, 0x02, 0x3A, 0x02, 0x08, 0x01])
    #expect(records[2].payload.suffix(5) == [0x15, 0, 0, 0x20, 0x40])
  }

  @Test func twoFilesOfOneFolderReadInTheOrderOfTheirNames() throws {
    let folder = try TemporaryFolder()
    _ = try EventWriter(folder: folder.path, startStep: 0)
    _ = try EventWriter(folder: folder.path, startStep: 5)
    // One process within one second appends to its own file: never less than what was there.
    let total = try folder.names.reduce(0) { $0 + (try EventRecord.read(folder.read($1)).count) }
    #expect(total == 4)
  }
}

/// A record of an event file, its checksums verified.
private struct EventRecord {
  let payload: [UInt8]

  static func read(_ bytes: [UInt8]) throws -> [EventRecord] {
    var records: [EventRecord] = []
    var position = 0
    while position < bytes.count {
      let length = Array(bytes[position..<position + 8])
      let count = length.reversed().reduce(0) { $0 << 8 | Int($1) }
      func word(_ start: Int) -> UInt32 {
        bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
      }
      let payload = Array(bytes[position + 12..<position + 12 + count])
      #expect(word(position + 8) == CRC32C.masked(length))
      #expect(word(position + 12 + count) == CRC32C.masked(payload))
      records.append(EventRecord(payload: payload))
      position += 16 + count
    }
    return records
  }
}
