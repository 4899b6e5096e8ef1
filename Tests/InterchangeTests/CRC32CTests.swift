import Interchange
import Testing

@Suite struct CRC32CTests {
  @Test func knowsTheCheckValueOfRFC3720() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
  }
}
