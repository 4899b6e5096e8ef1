import ComputeCUDA
import Testing

/// How the sort of routed tokens is cut.
@Suite struct CountingSortTilesTests {
  @Test func everyValueHasOneBlock() throws {
    for limit in [1, 2, 131, 132, 133, 2304, 4096, 65536] {
      let tiles = try #require(
        CountingSortTiles(
          count: 49152, limit: limit, sharedBytes: 232_448, multiprocessors: 132))
      #expect(tiles.each >= 1 && tiles.each <= 32)
      #expect(tiles.blocks * tiles.each >= limit)
      #expect((tiles.blocks - 1) * tiles.each < limit)
      #expect(tiles.vectors == 6)
    }
  }

  @Test func theListFitsSharedMemory() throws {
    for bytes in [49_152, 101_376, 166_912, 232_448] {
      let tiles = try #require(
        CountingSortTiles(
          count: 1_000_000, limit: 2304, sharedBytes: bytes, multiprocessors: 132))
      #expect(tiles.vectors >= 1 && tiles.vectors <= 6)
      #expect(tiles.sharedBytes + (5 << 10) <= bytes)
    }
    let few = try #require(
      CountingSortTiles(count: 300, limit: 9, sharedBytes: 232_448, multiprocessors: 132))
    #expect(
      few
        == CountingSortTiles(
          count: 8192, limit: 9, sharedBytes: 232_448, multiprocessors: 132))
    #expect(few.vectors == 1)
  }

  @Test func wideKeysAreForAnotherSort() {
    #expect(
      CountingSortTiles(count: 10, limit: 65537, sharedBytes: 232_448, multiprocessors: 132)
        == nil)
  }
}
