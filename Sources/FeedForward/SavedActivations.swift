import Compute

/// What one layer keeps between forward and backward: packed values and lists.
struct SavedActivations {
  /// A at the kept neurons, [T, K].
  let packed: TensorView
  /// Kept neurons, uint16 [blocks, K].
  let columns: TensorView

  /// The same memory for a layer that keeps fewer neurons.
  func narrowed(to kept: Int) -> SavedActivations {
    func narrow(_ view: TensorView) -> TensorView {
      TensorView(
        address: view.address, rows: view.rows, columns: kept, elementType: view.elementType)
    }
    return SavedActivations(packed: narrow(packed), columns: narrow(columns))
  }

  private init(packed: TensorView, columns: TensorView) {
    self.packed = packed
    self.columns = columns
  }

  init(tokens: Int, blocks: Int, kept: Int, storage: ElementType, from arena: Arena) {
    packed = arena.take(rows: tokens, columns: kept, storage)
    columns = arena.take(rows: blocks, columns: kept, .uint16)
  }

  static func bytes(tokens: Int, blocks: Int, kept: Int, storage: ElementType) -> Int {
    Arena.bytes(rows: tokens, columns: kept, storage)
      + Arena.bytes(rows: blocks, columns: kept, .uint16)
  }
}
