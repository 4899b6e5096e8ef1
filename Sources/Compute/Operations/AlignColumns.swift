/// Reorders lists of kept neurons, in place, so that they change little from block to block.
///
/// The first list of every `chain` token blocks stays as it is. In every other list a neuron that
/// the block before kept too takes the slot it has there; the others fill the free slots. Free
/// slots are taken in ascending order by neurons in the order they had, ascending.
///
/// What it is for: sums of products 4 and 6 stay in registers while a slot keeps its neuron.
/// Shapes: columns uint16 [blocks, K], ascending within a row before, different within a row.
public struct AlignColumns: Operation {
  /// The longest lists that can be aligned.
  public static let maximumKept = 16384

  public var columns: TensorView
  public var chain: Int

  /// See the type.
  public init(columns: TensorView, chain: Int) {
    self.columns = columns
    self.chain = chain
  }

  public func checkShapes() {
    require(columns, .uint16, "columns")
    precondition(chain > 0, "AlignColumns: chains of \(chain) blocks")
    precondition(
      columns.columns <= AlignColumns.maximumKept,
      "AlignColumns: lists of \(columns.columns), \(AlignColumns.maximumKept) at most")
  }

  public var flops: Double { 0 }
  public var bytes: Double { size(columns, columns) }
}
