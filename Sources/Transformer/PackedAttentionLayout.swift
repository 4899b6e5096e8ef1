import Compute

/// The widths of one row of packed queries, keys and values, and views of its parts.
struct PackedAttentionLayout {
  let queryWidth: Int
  let keyWidth: Int

  init(_ model: ModelConfiguration) {
    queryWidth = model.heads * model.headWidth
    keyWidth = model.keyValueHeads * model.headWidth
  }

  /// Columns of a packed row.
  var width: Int { queryWidth + 2 * keyWidth }

  func query(_ packed: TensorView) -> TensorView { packed.columns(0..<queryWidth) }
  func key(_ packed: TensorView) -> TensorView {
    packed.columns(queryWidth..<queryWidth + keyWidth)
  }
  func value(_ packed: TensorView) -> TensorView {
    packed.columns(queryWidth + keyWidth..<width)
  }
  /// Queries and keys together: what the rotary embedding turns.
  func queryAndKey(_ packed: TensorView) -> TensorView {
    packed.columns(0..<queryWidth + keyWidth)
  }
}
