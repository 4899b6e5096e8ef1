import Compute

/// Measures activations; used only on the steps that ask for statistics.
final class StatisticsProbe {
  private let backend: any Backend
  private let result: TensorView
  private let partialSums: TensorView
  private let columnSums: TensorView
  private let arena: Arena
  /// Stretches of rows that columns are summed over side by side: one would leave most of a GPU idle.
  private static let stretches = 128

  /// Memory for three numbers and the sums of every neuron.
  init(hiddenWidth: Int, on backend: any Backend) throws(ComputeError) {
    self.backend = backend
    arena = try Arena(
      byteCount: StatisticsProbe.bytes(hiddenWidth: hiddenWidth), on: backend,
      purpose: "sparsity statistics")
    result = arena.take(rows: 1, columns: 3)
    partialSums = arena.take(rows: StatisticsProbe.stretches, columns: hiddenWidth)
    columnSums = arena.take(rows: 1, columns: hiddenWidth)
  }

  /// All that an instance allocates.
  static func bytes(hiddenWidth: Int) -> Int {
    Arena.bytes(rows: 1, columns: 3) + Arena.bytes(rows: stretches, columns: hiddenWidth)
      + Arena.bytes(rows: 1, columns: hiddenWidth)
  }

  /// The sum, sum of squares and share above zero of some values.
  func moments(
    _ values: TensorView
  ) throws(ComputeError) -> (sum: Double, squares: Double, nonzero: Double) {
    try backend.run(ActivationStatistics(values: values, result: result))
    let three = try backend.read(result)
    return (Double(three[0]), Double(three[1]), Double(three[2]))
  }

  /// Columns whose sum over all rows is zero: activations are never negative.
  func zeroColumns(_ values: TensorView) throws(ComputeError) -> Int {
    let most = StatisticsProbe.stretches
    let blockRows = max(1, (values.rows + most - 1) / most)
    let partial = partialSums.rows(0..<(values.rows + blockRows - 1) / blockRows)
    try backend.run(
      BlockSums(values: values, blockRows: blockRows, sums: partial))
    try backend.run(
      BlockSums(values: partial, blockRows: max(1, partial.rows), sums: columnSums))
    return try backend.read(columnSums).count { $0 == 0 }
  }

  /// A layer that keeps everything.
  func measure(dense activation: TensorView) throws(ComputeError) -> LayerSparsity {
    var layer = LayerSparsity()
    layer.nonzeroShare = try moments(activation).nonzero
    layer.deadNeurons = try zeroColumns(activation)
    return layer
  }

  /// How alike neighbouring lists are.
  func overlap(of columns: TensorView) throws(ComputeError) -> ListOverlap {
    ListOverlap(lists: try backend.read(columns, as: UInt16.self), kept: columns.columns)
  }

  /// A layer of which `kept` is what the mask left of `all`, both seen on the same tokens;
  /// `columns` are the lists of all blocks.
  func measure(
    all: TensorView, kept: TensorView, columns: TensorView, density: Double
  ) throws(ComputeError) -> LayerSparsity {
    let before = try moments(all)
    let after = try moments(kept)
    var layer = LayerSparsity()
    layer.energyKept = before.squares > 0 ? after.squares / before.squares : 1
    layer.nonzeroShare = before.nonzero
    layer.deadNeurons = try zeroColumns(all)
    layer.density = density
    let overlap = try overlap(of: columns)
    layer.listChange = overlap.change
    layer.listUnion = overlap.unionOfFour
    return layer
  }
}
