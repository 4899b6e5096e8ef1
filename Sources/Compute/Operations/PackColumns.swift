/// `packed[p, j] = values[order[p], columns[p / V, j]]`.
///
/// Shapes: values [T, f], packed [T, K].
public struct PackColumns: Operation {
  public var values: TensorView
  public var pattern: PackedPattern
  public var packed: TensorView

  /// See the type.
  public init(values: TensorView, pattern: PackedPattern, packed: TensorView) {
    self.values = values
    self.pattern = pattern
    self.packed = packed
  }

  public func checkShapes() {
    pattern.check(tokens: values.rows)
    require(packed.rows, values.rows, "tokens")
    require(packed.columns, pattern.keptColumns, "kept neurons")
  }

  public var flops: Double { 0 }
  public var bytes: Double { size(packed, packed, pattern.columns) }
}

/// The inverse of `PackColumns`: `values[order[p], columns[p / V, j]] = packed[p, j]`, 0 elsewhere.
public struct UnpackColumns: Operation {
  public var packed: TensorView
  public var pattern: PackedPattern
  public var values: TensorView

  /// See the type. Shapes: packed [T, K], values [T, f].
  public init(packed: TensorView, pattern: PackedPattern, values: TensorView) {
    self.packed = packed
    self.pattern = pattern
    self.values = values
  }

  public func checkShapes() {
    pattern.check(tokens: values.rows)
    require(packed.rows, values.rows, "tokens")
    require(packed.columns, pattern.keptColumns, "kept neurons")
  }

  public var flops: Double { 0 }
  public var bytes: Double { size(packed, values, pattern.columns) }
}
