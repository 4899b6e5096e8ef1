/// Products 4 and 6: `weightGradient[columns[b, j], :] += Σ_p packed[p, j] · rows[order[p], :]`,
/// over the positions p of block b, blocks in ascending order: reproducible.
///
/// Shapes: packed [T, K], rows [T, d], weightGradient [f, d] (neuron-major).
public struct PackedWeightGradient: Operation {
  public var packed: TensorView
  public var rows: TensorView
  public var pattern: PackedPattern
  public var weightGradient: TensorView

  /// See the type.
  public init(
    packed: TensorView, rows: TensorView, pattern: PackedPattern, weightGradient: TensorView
  ) {
    self.packed = packed
    self.rows = rows
    self.pattern = pattern
    self.weightGradient = weightGradient
  }

  public func checkShapes() {
    pattern.check(tokens: rows.rows)
    require(packed.rows, rows.rows, "tokens")
    require(packed.columns, pattern.keptColumns, "kept neurons")
    require(weightGradient.columns, rows.columns, "width")
  }

  public var flops: Double { 2 * Double(packed.count) * Double(rows.columns) }
  public var bytes: Double { size(packed, rows, weightGradient, weightGradient) }
}
