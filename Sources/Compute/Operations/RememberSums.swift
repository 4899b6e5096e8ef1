/// Adds the sums of blocks to what is remembered for clusters of tokens.
///
/// A cluster with marks moves by `rate` towards the mean of its marks' blocks, one that marks a block
/// twice counting twice: `remembered ← remembered + rate (mean − remembered)`; one without any stays.
/// Added in float32, in the order of marks.
///
/// Shapes: sums float32 [blocks, f], marks int32 [blocks, 4], before and after float32 [C, f], which may
/// be the same.
public struct RememberSums: Operation {
  public var sums: TensorView
  public var marks: TensorView
  public var rate: Float
  public var before: TensorView
  public var after: TensorView

  /// See the type.
  public init(
    sums: TensorView, marks: TensorView, rate: Float, before: TensorView, after: TensorView
  ) {
    self.sums = sums
    self.marks = marks
    self.rate = rate
    self.before = before
    self.after = after
  }

  public func checkShapes() {
    require(sums, .float32, "sums")
    require(before, .float32, "remembered sums")
    require(after, .float32, "what is remembered from now on")
    require(marks, .int32, "marks")
    require(marks.rows, sums.rows, "blocks with marks")
    require(marks.columns, BlockMarks.perBlock, "marks of a block")
    require(before.columns, sums.columns, "neurons")
    require(after.columns, sums.columns, "neurons")
    require(after.rows, before.rows, "clusters")
    precondition(marks.isContiguous, "RememberSums: marks lie one after the other")
  }

  public var flops: Double { Double(sums.count) * Double(BlockMarks.perBlock) }
  public var bytes: Double { size(sums, marks, before, after) }
}
