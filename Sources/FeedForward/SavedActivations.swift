import Compute

/// What one layer keeps between forward and backward: packed values, lists, the token order.
struct SavedActivations {
  /// A at the kept neurons, [T, K].
  let packed: TensorView
  /// Kept neurons, uint16 [blocks, K].
  let columns: TensorView
  /// Position → token, int32 [1, T].
  let order: TensorView
  /// Whether the order was made by the router; otherwise tokens stay in place.
  var isRouted = false

  /// The same memory for a layer that keeps fewer neurons.
  func narrowed(to kept: Int) -> SavedActivations {
    func narrow(_ view: TensorView) -> TensorView {
      TensorView(
        address: view.address, rows: view.rows, columns: kept, elementType: view.elementType)
    }
    return SavedActivations(packed: narrow(packed), columns: narrow(columns), order: order)
  }

  private init(packed: TensorView, columns: TensorView, order: TensorView) {
    self.packed = packed
    self.columns = columns
    self.order = order
  }

  init(tokens: Int, blocks: Int, kept: Int, storage: ElementType, from arena: Arena) {
    packed = arena.take(rows: tokens, columns: kept, storage)
    columns = arena.take(rows: blocks, columns: kept, .uint16)
    order = arena.take(rows: 1, columns: tokens, .int32)
  }

  static func bytes(tokens: Int, blocks: Int, kept: Int, storage: ElementType) -> Int {
    Arena.bytes(rows: tokens, columns: kept, storage)
      + Arena.bytes(rows: blocks, columns: kept, .uint16)
      + Arena.bytes(rows: 1, columns: tokens, .int32)
  }
}
