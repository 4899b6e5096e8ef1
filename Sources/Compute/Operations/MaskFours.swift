/// Keeps the `keep` largest of every four consecutive values of a row, in place; the rest become
/// +0. Ties go to the lower index. The second half of V:N:M. Shape: values [T, multiple of 4].
public struct MaskFours: Operation {
  public var values: TensorView
  public var keep: Int

  /// See the type.
  public init(values: TensorView, keep: Int) {
    self.values = values
    self.keep = keep
  }

  public func checkShapes() {
    require(values.columns % 4, 0, "\(values.columns) columns in fours")
    precondition((1...4).contains(keep), "MaskFours: keep \(keep) of 4")
  }

  public var flops: Double { 5 * Double(values.count) }
  public var bytes: Double { size(values, values) }
}
