public import Compute

/// One number for every element of every parameter, in the order of a `ParameterTable`:
/// the parameters themselves, their gradients, a moment of the optimizer.
public final class ParameterArena {
  /// The layout.
  public let table: ParameterTable
  /// Everything as one row.
  public let all: TensorView
  /// The leading part that weight decay applies to.
  public let decaying: TensorView
  /// The rest: vectors.
  public let undecaying: TensorView
  private let arena: Arena

  /// Allocates and zeroes.
  public init(
    _ table: ParameterTable, on backend: any Backend, purpose: String
  ) throws(ComputeError) {
    self.table = table
    arena = try Arena(
      byteCount: table.elementCount * ElementType.float32.byteCount, on: backend,
      purpose: purpose)
    all = arena.take(rows: 1, columns: table.elementCount)
    decaying = all.columns(0..<table.decayingCount)
    undecaying = all.columns(table.decayingCount..<table.elementCount)
    try backend.zero(all)
  }

  /// The elements of one parameter.
  public func view(_ entry: ParameterEntry) -> TensorView {
    all.columns(entry.offset..<entry.offset + entry.count)
      .reshaped(rows: entry.rows, columns: entry.columns)
  }

  /// The elements of the parameter with a role.
  public subscript(_ role: ParameterRole) -> TensorView { view(table[role]) }
}
