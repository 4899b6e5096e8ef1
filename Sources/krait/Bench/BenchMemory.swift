import Compute
import OperationCases

/// The tensors of a case for timing: plausible numbers, no guards, nothing kept on the host.
///
/// Numbers are drawn up to a million; larger matrices are pieces of those from places that look
/// random. That takes milliseconds instead of minutes, and no two rows are the same: a GPU that is
/// held back by its power multiplies repeated rows faster than it should.
final class BenchMemory {
  /// The arguments, for the run.
  let views: CaseViews
  private let arena: Arena
  private static let drawn = 1 << 20
  /// Values of one copy; a prime, so that pieces and rows do not fall into step.
  private static let piece = 65_537

  init(_ work: OperationCase, on backend: any Backend) throws(ComputeError) {
    let storage = backend.storage
    let visible = work.tensors.filter { $0.role != .hidden }
    arena = try Arena(
      byteCount: visible.reduce(0) {
        $0
          + Arena.bytes(
            rows: $1.rows, columns: $1.columns, $1.elementType(storage: storage))
      }, on: backend, purpose: "benchmark of \(work.operation)")
    var views = CaseViews()
    for tensor in visible {
      let view = arena.take(
        rows: tensor.rows, columns: tensor.columns, tensor.elementType(storage: storage))
      views[tensor.name] = view
      switch tensor.values {
      case nil: try backend.zero(view)
      case .int32(let make): try backend.write(make(), to: view)
      case .uint16(let make): try backend.write(make(), to: view)
      case .floats(let make):
        try BenchMemory.fill(view, with: make(BenchMemory.drawn), on: backend)
      case .derived:
        // The reference would take longer than everything else; these numbers will do.
        let some = (0..<4096).map { Float($0 % 17) / 16 - 0.5 }
        try BenchMemory.fill(view, with: some, on: backend)
      }
    }
    self.views = views
  }

  /// Writes the values once, then copies pieces of them until the view is full.
  private static func fill(
    _ view: TensorView, with values: [Float], on backend: any Backend
  ) throws(ComputeError) {
    func stretch(_ start: Int, _ count: Int) -> TensorView {
      TensorView(
        address: view.address + UInt64(start * view.elementType.byteCount), rows: 1,
        columns: count, elementType: view.elementType)
    }
    var filled = min(values.count, view.count)
    guard filled > 0 else { return }
    try backend.write(floats: Array(values.prefix(filled)), to: stretch(0, filled))
    let drawn = filled
    var place = 0
    while filled < view.count {
      place = (place + 7_919 * 61) % max(1, drawn - BenchMemory.piece)
      let count = min(BenchMemory.piece, drawn - place, view.count - filled)
      try backend.copy(from: stretch(place, count), to: stretch(filled, count))
      filled += count
    }
  }
}
