/// `output[i] = source[rows[i]]`. Shapes: source [n, c], rows int32 [1, r], output [r, c].
public struct GatherRows: Operation {
  public var source: TensorView
  public var rows: TensorView
  public var output: TensorView

  /// See the type; source and output must not overlap.
  public init(source: TensorView, rows: TensorView, output: TensorView) {
    self.source = source
    self.rows = rows
    self.output = output
  }

  public func checkShapes() {
    require(rows, .int32, "rows")
    require(rows.count, output.rows, "rows")
    require(source.columns, output.columns, "columns")
  }

  public var flops: Double { 0 }
  public var bytes: Double { size(output, output, rows) }
}
