public import Compute

/// A case run once and compared with its reference.
public struct CaseCheck: Sendable {
  /// The first element that was wrong.
  public struct Mismatch: Sendable, CustomStringConvertible {
    /// One sentence with coordinates.
    public let description: String
  }

  /// The first thing that was wrong; nil when everything was right.
  public let mismatch: Mismatch?
  /// The largest error, as a share of what is allowed.
  public let worstShare: Double
  /// Everything after the run.
  public let numbers: CaseNumbers

  /// Runs a case and compares every output, every input and the memory between and around them.
  ///
  /// - Parameter repeats: whether a second run must leave the same bits behind.
  /// - Throws: what the backend throws.
  public init(
    _ test: OperationCase, on backend: any Backend, storage: ElementType = .float32,
    repeats: Bool = false
  ) throws {
    let memory = try CaseMemory(test, on: backend, storage: storage)
    try test.run(backend, memory.views)
    try backend.synchronize()
    numbers = try memory.read()
    var expected = memory.numbers
    test.reference(&expected)
    var worst = 0.0
    var first = try memory.damage().map { Mismatch(description: "\(test): \($0)") }
    for tensor in test.tensors where tensor.role == .output || tensor.role == .update {
      let type = tensor.elementType(storage: storage)
      let actual = numbers[tensor.name].values
      let wanted = expected[tensor.name].values
      for (index, (got, want)) in zip(actual, wanted).enumerated() {
        let allowed = test.tolerance.allowed(at: want, storedAs: type, storage: storage)
        // Equality first: infinities are right when they are equal.
        if got == want || got.isNaN && want.isNaN { continue }
        let share = allowed > 0 ? abs(got - want) / allowed : .infinity
        worst = max(worst, share.isNaN ? .infinity : share)
        if first == nil && !(share <= 1) {
          let (row, column) = index.quotientAndRemainder(dividingBy: tensor.columns)
          first = Mismatch(
            description: "\(test): '\(tensor.name)'[\(row), \(column)] is \(got), not \(want)"
              + " (within \(allowed): \(test.tolerance.reason))")
        }
      }
    }
    if repeats && first == nil {
      let images = try memory.images()
      try memory.restore()
      try test.run(backend, memory.views)
      if try memory.images() != images {
        first = Mismatch(description: "\(test): other bits in a second run")
      }
    }
    mismatch = first
    worstShare = worst
  }
}
