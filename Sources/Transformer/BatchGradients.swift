public import Compute

/// The gradients of all parameters, in one of two forms in the same memory.
///
/// Wide: everything in float32, as a `ParameterArena` has it; micro-batches and sparse products add
/// to it. Narrow: where one dense micro-batch is the whole batch, one product writes the gradient of
/// a layer's matrix and nothing is added, so it is rounded once to the backend's storage type. That
/// is half of what products write and the optimizer reads. Embedding and output projection join them
/// where the logits of all tokens are computed at once; vectors stay in float32.
public final class BatchGradients {
  /// Gradients that the optimizer reads in one go.
  public struct Stretch: Sendable {
    /// Which elements of every arena.
    public let elements: Range<Int>
    /// Their gradients.
    public let values: TensorView
    /// Whether weight decay applies to the parameters.
    public let decays: Bool
  }

  /// Everything in float32; holds the last gradients while `isNarrow` is false.
  public let wide: ParameterArena
  /// Whether the last gradients are in the narrow form.
  public package(set) var isNarrow = false
  private let storage: ElementType
  private let matrices: Range<Int>

  /// Allocates and zeroes the wide form.
  ///
  /// - Parameters:
  ///   - storage: the type of the narrow one.
  ///   - allMatrices: whether no other matrix is added to either.
  package init(
    _ table: ParameterTable, storage: ElementType, allMatrices: Bool,
    on backend: any Backend
  ) throws(ComputeError) {
    wide = try ParameterArena(table, on: backend, purpose: "gradients")
    self.storage = storage
    matrices = allMatrices ? 0..<table.decayingCount : table.layerMatrices
  }

  /// Whether there is a narrow form: a narrower storage type, and no padding in it to keep zero.
  package var canBeNarrow: Bool {
    storage != .float32
      && wide.table.entries.allSatisfy {
        !matrices.contains($0.offset) || $0.count % ParameterTable.alignment == 0
      }
  }

  /// The narrow form of a parameter's gradient, where it has one; else the wide form.
  package func narrow(_ role: ParameterRole) -> TensorView {
    let entry = wide.table[role]
    guard matrices.contains(entry.offset) else { return wide.view(entry) }
    let first = entry.offset - matrices.lowerBound
    return narrowMatrices.columns(first..<first + entry.count)
      .reshaped(rows: entry.rows, columns: entry.columns)
  }

  /// What the last gradients are, in the order of memory.
  public var stretches: [Stretch] {
    let all = BatchGradients.stretches(of: wide)
    guard isNarrow else { return all }
    let before = 0..<matrices.lowerBound
    return [
      Stretch(elements: before, values: wide.all.columns(before), decays: true),
      Stretch(elements: matrices, values: narrowMatrices, decays: true),
    ].filter { !$0.elements.isEmpty } + all.filter { !$0.decays }
  }

  /// The same for gradients that are all in float32.
  public static func stretches(of gradients: ParameterArena) -> [Stretch] {
    let decaying = gradients.table.decayingCount
    return [
      Stretch(elements: 0..<decaying, values: gradients.decaying, decays: true),
      Stretch(
        elements: decaying..<gradients.table.elementCount, values: gradients.undecaying,
        decays: false),
    ]
  }

  /// The first half of these matrices' memory.
  private var narrowMatrices: TensorView {
    TensorView(
      address: wide.all.columns(matrices).address, rows: 1, columns: matrices.count,
      elementType: storage)
  }
}
