import ComputeCUDA
import Testing

/// How carried weight gradients are cut for a Hopper GPU; needs no GPU.
@Suite struct HopperCarryTests {
  @Test func largeShapesCarryThroughWholeChains() {
    let items = HopperCarry(blocks: 256, kept: 1024, columns: 2048, multiprocessors: 132)
    #expect(items.cluster == 2 && items.span == HopperCarry.chain && items.grid == 132)
  }

  @Test func smallShapesShareOut() {
    // 124m, 16384 tokens: 9 tiles; 8 chains of 16 blocks would leave half of the GPU idle.
    let items = HopperCarry(blocks: 128, kept: 384, columns: 768, multiprocessors: 132)
    #expect(items.cluster == 1 && items.span < HopperCarry.chain && items.grid == 132)
    let one = HopperCarry(blocks: 1, kept: 64, columns: 64, multiprocessors: 132)
    #expect(one.cluster == 1 && one.grid == 1)
  }

  @Test(arguments: [114, 132, 133], [64, 384, 512, 4096])
  func theGridIsWholeClustersThatFit(multiprocessors: Int, kept: Int) {
    for (blocks, columns) in [(1, 64), (7, 768), (128, 4096), (500, 320)] {
      let items = HopperCarry(
        blocks: blocks, kept: kept, columns: columns, multiprocessors: multiprocessors)
      #expect(items.grid > 0 && items.grid <= multiprocessors)
      #expect(items.grid % items.cluster == 0 && HopperCarry.chain % items.span == 0)
    }
  }
}
