public import Compute
public import Transformer

/// The tensors of a model under their standard (Hugging Face) names, in standard layout.
///
/// Packed matrices are cut into their parts, neuron-major ones transposed: the table of parameters
/// says how. Used by export, import and evaluation of other people's folders.
public struct StandardTensors {
  /// One tensor of the standard layout.
  public struct Entry: Sendable, Equatable {
    /// For example `model.layers.0.mlp.up_proj.weight`.
    public let name: String
    /// Sizes, outermost first.
    public let shape: [Int]
    let parameter: ParameterEntry
    let exported: ExportedTensor

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// Whether it is a norm's weights.
    public var isVector: Bool { exported.isVector }
  }

  /// All tensors in the order of the table.
  public let entries: [Entry]
  private let model: TransformerModel

  /// The tensors of a model.
  public init(_ model: TransformerModel) {
    self.model = model
    entries = StandardTensors.entries(of: model.table)
  }

  /// The tensors that a table of parameters becomes; allocates nothing.
  public static func entries(of table: ParameterTable) -> [Entry] {
    table.entries.flatMap { parameter in
      parameter.exports.map { exported in
        let rows = exported.rows.count
        let shape =
          exported.isVector
          ? [parameter.columns]
          : exported.transposed ? [parameter.columns, rows] : [rows, parameter.columns]
        return Entry(name: exported.name, shape: shape, parameter: parameter, exported: exported)
      }
    }
  }

  /// The values of a tensor, row-major.
  public func read(_ entry: Entry) throws(ComputeError) -> [Float] {
    let rows = try model.backend.read(view(entry))
    guard entry.exported.transposed else { return rows }
    return StandardTensors.transpose(
      rows, rows: entry.exported.rows.count, columns: entry.parameter.columns)
  }

  /// Sets the values of a tensor.
  public func write(_ values: [Float], to entry: Entry) throws(ComputeError) {
    precondition(
      values.count == entry.shape.reduce(1, *), "\(values.count) values for \(entry.name)")
    let rows =
      entry.exported.transposed
      ? StandardTensors.transpose(
        values, rows: entry.parameter.columns, columns: entry.exported.rows.count) : values
    try model.backend.write(rows, to: view(entry))
    try model.parametersChanged()
  }

  private func view(_ entry: Entry) -> TensorView {
    model.parameters.view(entry.parameter).rows(entry.exported.rows)
  }

  /// A row-major [rows, columns] matrix as its [columns, rows] transpose, in cache-sized squares.
  static func transpose(_ values: [Float], rows: Int, columns: Int) -> [Float] {
    let square = 32
    return [Float](unsafeUninitializedCapacity: values.count) { result, count in
      values.withUnsafeBufferPointer { source in
        for rowStart in stride(from: 0, to: rows, by: square) {
          for columnStart in stride(from: 0, to: columns, by: square) {
            for row in rowStart..<min(rowStart + square, rows) {
              for column in columnStart..<min(columnStart + square, columns) {
                result[column * rows + row] = source[row * columns + column]
              }
            }
          }
        }
      }
      count = values.count
    }
  }
}
