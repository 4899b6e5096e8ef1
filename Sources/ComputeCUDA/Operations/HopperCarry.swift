/// How `hopper/weight_gradient_carry.cu` is cut: a pure choice.
package struct HopperCarry: Equatable {
  /// Shared memory of a block.
  package static let sharedBytes = 231488
  /// Token blocks in a chain of aligned lists.
  package static let chain = 16

  /// Blocks that share rows and multicast them: 1 or 2.
  package let cluster: Int
  /// Consecutive token blocks of an item, whose sums are carried.
  package let span: Int
  /// Thread blocks, a multiple of the cluster.
  package let grid: Int
  /// Tiles of columns that are finished for all tokens before the next ones.
  package let group = 1

  /// The span with the least work for the busiest multiprocessor: long ones add less, short ones
  /// share out better.
  package init(blocks: Int, kept: Int, columns: Int, multiprocessors: Int) {
    let slots = (kept + 127) / 128
    let shares = slots % 2 == 0 && multiprocessors >= 2 ? 2 : 1
    let tiles = slots / shares * ((columns + 255) / 256)
    let units = multiprocessors / shares
    // A block's multiplications, and the additions that the end of an item costs, in blocks.
    func cost(_ span: Int) -> Int {
      let items = (blocks + span - 1) / span * tiles
      return (items + units - 1) / units * (span + 1)
    }
    let best = [16, 8, 4, 2, 1].min { cost($0) < cost($1) } ?? 1
    cluster = shares
    span = best
    grid = min((blocks + best - 1) / best * tiles, units) * shares
  }
}
