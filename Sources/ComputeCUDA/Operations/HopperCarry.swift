/// How `hopper/weight_gradient_carry.cu` is cut: a pure choice.
package struct HopperCarry: Equatable {
  /// Shared memory of a block.
  package static let sharedBytes = 215088
  /// Blocks of a cluster that the kernel is compiled for: neighbouring slots, which share rows, and
  /// neighbouring columns, which share packed values. Of equal ones the last is taken: two tiles
  /// of columns add to 2 KiB of a row at about the same time.
  package static let shapes: [(slots: Int, columns: Int)] = [(1, 1), (3, 1), (2, 1), (1, 2)]

  /// Blocks of a cluster with neighbouring slots.
  package let slotBlocks: Int
  /// Blocks of a cluster with neighbouring columns.
  package let columnBlocks: Int
  /// Consecutive token blocks of an item, whose sums are carried: what a chain of aligned lists
  /// should be.
  package let span: Int
  /// Tiles of columns that are finished for all tokens before the next ones.
  package let group: Int
  private let clusters: Int

  /// The shape and the span with the least work for the busiest cluster: long spans add less,
  /// short ones share out better.
  ///
  /// - Parameter clusters: how many clusters of 1, 2, 3 blocks can run at once; 0: none.
  package init(blocks: Int, kept: Int, columns: Int, clusters: [Int]) {
    var best = (cost: Double.infinity, shape: (slots: 1, columns: 1), span: 1)
    for shape in HopperCarry.shapes {
      let size = shape.slots * shape.columns
      let (bySlots, byColumns) = (HopperCarry.tiles(kept, 128), HopperCarry.tiles(columns, 256))
      guard
        size <= clusters.count, clusters[size - 1] > 0,
        shape.slots <= bySlots, shape.columns <= byColumns
      else { continue }
      let tiles =
        HopperCarry.tiles(bySlots, shape.slots) * HopperCarry.tiles(byColumns, shape.columns)
      for span in 1...max(1, min(HopperCarry.longestSpan, blocks)) {
        let items = HopperCarry.tiles(blocks, span) * tiles
        let waves = HopperCarry.tiles(items, clusters[size - 1])
        let cost = Double(waves) * (Double(span) + 2) * HopperCarry.weight(shape)
        // Of equal ones the longer span.
        if cost <= best.cost { best = (cost, shape, span) }
      }
    }
    (slotBlocks, columnBlocks) = best.shape
    span = best.span
    self.clusters = clusters[slotBlocks * columnBlocks - 1]
    group = columnBlocks == 1 ? 2 : 1
  }

  /// The longest chain of lists: what is added hardly shrinks any more, and aligning takes longer.
  package static let longestSpan = 32

  /// What a block of tokens costs, depending on what is shared.
  private static func weight(_ shape: (slots: Int, columns: Int)) -> Double {
    switch shape {
    case (1, 1): 1.2
    default: 1
    }
  }

  /// Thread blocks for so many token blocks, slots and columns: whole clusters.
  package func grid(blocks: Int, kept: Int, columns: Int) -> Int {
    let items =
      HopperCarry.tiles(blocks, span) * HopperCarry.tiles(kept, 128 * slotBlocks)
      * HopperCarry.tiles(columns, 256 * columnBlocks)
    return min(items, clusters) * slotBlocks * columnBlocks
  }

  private static func tiles(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size }
}
