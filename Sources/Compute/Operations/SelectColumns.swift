/// Keeps the neurons with the largest block sums; ties go to the lower index.
///
/// The sums of the blocks before and after count too, by `neighbourWeight`, and those beyond by its
/// square: neighbours in routed order are alike, and few samples say little. So do sums remembered
/// for the kinds of tokens that a block holds: the mean of its marks' rows is added. Each row of f sums is
/// cut into groups of `groupWidth`; every group keeps `keepPerGroup`.
/// One group of all f neurons is the column pattern; groups of M that keep 4 are V:N:M's choice.
/// Shapes: sums [blocks, f], remembered sums [C, f] and marks [blocks, 4], columns uint16
/// [blocks, f / groupWidth · keepPerGroup], ascending.
public struct SelectColumns: Operation {
  public var sums: TensorView
  public var groupWidth: Int
  public var keepPerGroup: Int
  public var neighbourWeight: Float
  public var remembered: Remembered?
  public var columns: TensorView

  /// Sums of every cluster, and the clusters of a block.
  public struct Remembered: Sendable {
    /// Float32 [C, f].
    public var sums: TensorView
    /// Int32 [blocks, 4], see `BlockMarks`.
    public var marks: TensorView

    /// See the properties.
    public init(sums: TensorView, marks: TensorView) {
      self.sums = sums
      self.marks = marks
    }
  }

  /// See the type.
  public init(
    sums: TensorView, groupWidth: Int, keepPerGroup: Int, neighbourWeight: Float = 0,
    remembered: Remembered? = nil, columns: TensorView
  ) {
    self.remembered = remembered
    self.neighbourWeight = neighbourWeight
    self.sums = sums
    self.groupWidth = groupWidth
    self.keepPerGroup = keepPerGroup
    self.columns = columns
  }

  public func checkShapes() {
    require(columns, .uint16, "columns")
    require(sums.columns % groupWidth, 0, "\(sums.columns) neurons in groups of \(groupWidth)")
    require(columns.rows, sums.rows, "blocks")
    require(columns.columns, sums.columns / groupWidth * keepPerGroup, "kept neurons")
    if let remembered {
      require(remembered.sums, .float32, "remembered sums")
      require(remembered.sums.columns, sums.columns, "neurons of remembered sums")
      require(remembered.marks, .int32, "marks")
      require(remembered.marks.rows, sums.rows, "blocks with marks")
      require(remembered.marks.columns, BlockMarks.perBlock, "marks of a block")
    }
    precondition(keepPerGroup <= groupWidth, "SelectColumns: \(keepPerGroup) of \(groupWidth)")
    precondition(sums.columns <= 65536, "SelectColumns: \(sums.columns) neurons, 65536 at most")
  }

  public var flops: Double { Double(sums.count) }
  public var bytes: Double {
    size(sums, columns) + (remembered.map { size($0.sums, $0.marks) } ?? 0)
  }
}
