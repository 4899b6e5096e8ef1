/// Which neurons every block of tokens keeps: the one sparse format of the project.
///
/// Tokens are taken in `order` (position → token) and cut into blocks of `blockTokens`; a short
/// last block is a block. Block b keeps the neurons `columns[b]`, ascending unless
/// `AlignColumns` gave them another order. Packed values
/// are [T, K]: row p belongs to the token `order[p]`, column j to the neuron `columns[p/V][j]`.
public struct PackedPattern: Sendable, Equatable {
  /// Position → token, int32 [1, T]; nil means that tokens stay in place.
  public var order: TensorView?
  /// Kept neurons of each block, uint16 [blocks, K], different within a row.
  public var columns: TensorView
  /// Whether the neurons of each block ascend.
  public var isAscending: Bool
  /// V: tokens in a block.
  public var blockTokens: Int

  /// See the properties.
  public init(order: TensorView?, columns: TensorView, blockTokens: Int, isAscending: Bool = true) {
    precondition(blockTokens > 0, "blocks of \(blockTokens) tokens")
    precondition(columns.elementType == .uint16, "columns are \(columns.elementType.rawValue)")
    precondition(order == nil || order?.elementType == .int32, "the order is not int32")
    self.order = order
    self.columns = columns
    self.blockTokens = blockTokens
    self.isAscending = isAscending
  }

  /// K: kept neurons per block.
  public var keptColumns: Int { columns.columns }

  /// The number of blocks that `tokens` tokens make, the last one possibly short.
  public static func blocks(tokens: Int, blockTokens: Int) -> Int {
    (tokens + blockTokens - 1) / blockTokens
  }

  /// Traps unless the pattern describes this many tokens.
  func check(tokens: Int) {
    if let order {
      precondition(order.count == tokens, "order of \(order.count) for \(tokens) tokens")
    }
    let blocks = PackedPattern.blocks(tokens: tokens, blockTokens: blockTokens)
    precondition(columns.rows == blocks, "\(columns.rows) column lists for \(blocks) blocks")
  }
}
