/// How reproducible products 4 and 6 are cut: a pure choice.
///
/// A run is the sum of one neuron over consecutive token blocks that keep it in the same slot. Runs
/// are stored, for some blocks and some columns at a time, and then added in order.
package struct HopperRuns: Equatable {
  /// The most memory that stored runs take, unless one chain of 256 columns needs more.
  package static let maximumBytes = 512 << 20

  /// How the runs are computed.
  package let carry: HopperCarry
  /// Token blocks whose runs are stored before they are added: whole spans, or all.
  package let blocks: Int
  /// Columns of the same: a multiple of 256, or all.
  package let columns: Int
  /// Bytes of stored runs: any slot of any block may end one.
  package let runBytes: Int

  /// As many blocks as fit with 256 columns, then as many columns.
  package init(blocks all: Int, kept: Int, width: Int, clusters: [Int]) {
    let narrow = min(256, width)
    let fitting = min(all, max(1, HopperRuns.maximumBytes / (kept * narrow * 4)))
    columns = min(
      width, max(narrow, HopperRuns.maximumBytes / (fitting * kept * 4) / 256 * 256))
    carry = HopperCarry(
      blocks: fitting, kept: kept, columns: columns, clusters: clusters)
    blocks = fitting == all ? all : fitting / carry.span * carry.span
    runBytes = DeviceMemory.partBytes(blocks * kept * columns * 4)
  }

  /// Runs, and where each of so many neurons has them: a uint16 for every block.
  package func scratchBytes(neurons: Int) -> Int { runBytes + neurons * blocks * 2 }
}
