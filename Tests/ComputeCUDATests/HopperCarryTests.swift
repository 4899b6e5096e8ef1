import ComputeCUDA
import Testing

/// How carried weight gradients are cut for a Hopper GPU; needs no GPU.
@Suite struct HopperCarryTests {
  /// An H100 with 132 multiprocessors.
  static let clusters = [132, 66, 39]

  @Test func largeShapesCarryFar() {
    let cut = HopperCarry(blocks: 256, kept: 1024, columns: 2048, clusters: Self.clusters)
    #expect(cut.slotBlocks == 1 && cut.columnBlocks == 2 && cut.span >= 16)
    #expect(cut.grid(blocks: 256, kept: 1024, columns: 2048) == 132)
  }

  @Test func smallShapesShareOut() {
    // 124m, 16384 tokens: 9 tiles; 8 chains of 16 blocks would leave half of the GPU idle.
    let cut = HopperCarry(blocks: 128, kept: 384, columns: 768, clusters: Self.clusters)
    #expect(cut.span < 16 && cut.grid(blocks: 128, kept: 384, columns: 768) >= 110)
    let one = HopperCarry(blocks: 1, kept: 64, columns: 64, clusters: Self.clusters)
    #expect(one.span == 1 && one.slotBlocks * one.columnBlocks == 1)
    #expect(one.grid(blocks: 1, kept: 64, columns: 64) == 1)
  }

  @Test(
    arguments: [[132, 66, 39], [114, 57, 0], [133, 0, 0], [132, 66]], [64, 384, 512, 4096])
  func theGridIsWholeClustersThatFit(clusters: [Int], kept: Int) {
    for (blocks, columns) in [(1, 64), (7, 768), (128, 4096), (500, 320)] {
      let cut = HopperCarry(blocks: blocks, kept: kept, columns: columns, clusters: clusters)
      let size = cut.slotBlocks * cut.columnBlocks
      for part in [1, blocks] {
        let grid = cut.grid(blocks: part, kept: kept, columns: columns)
        #expect(grid > 0 && grid % size == 0 && grid / size <= clusters[size - 1])
      }
      #expect(cut.span >= 1 && cut.span <= min(blocks, HopperCarry.longestSpan))
    }
  }

  @Test(arguments: [
    (256, 1024, 2048), (384, 1024, 2048), (384, 384, 768), (3, 64, 64), (512, 16384, 8192),
  ])
  func runsFitIntoTheirMemory(blocks: Int, kept: Int, width: Int) {
    let cut = HopperRuns(blocks: blocks, kept: kept, width: width, clusters: Self.clusters)
    #expect(cut.runBytes <= HopperRuns.maximumBytes)
    #expect(cut.runBytes >= cut.blocks * kept * cut.columns * 4)
    #expect(cut.columns == width || cut.columns % 256 == 0)
    // Launches start where chains do.
    #expect(cut.blocks == blocks || cut.blocks % cut.carry.span == 0)
    #expect(cut.blocks > 0 && cut.columns > 0)
  }
}
