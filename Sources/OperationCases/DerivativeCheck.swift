public import Compute

/// The gradients of a case against central differences of its objective in double precision.
public struct DerivativeCheck: Sendable {
  /// The first gradient that was wrong; nil when all were right.
  public let mismatch: CaseCheck.Mismatch?
  /// Elements that were compared.
  public let compared: Int
  /// Elements left out, too close to where the derivative is undefined.
  public let skipped: Int

  /// Half the distance between the two points of a difference. In double precision its error is
  /// about step² from the third derivative and 1e-16/step from rounding: both below 1e-9.
  public static let step = 0x1p-18

  /// Runs a case and compares; a case without a derivative compares nothing.
  ///
  /// - Throws: what the backend throws.
  public init(_ test: OperationCase, on backend: any Backend) throws {
    guard let derivative = test.derivative else {
      (mismatch, compared, skipped) = (nil, 0, 0)
      return
    }
    let memory = try CaseMemory(test, on: backend)
    try test.run(backend, memory.views)
    try backend.synchronize()
    let after = try memory.read()
    let before = memory.numbers
    var first: CaseCheck.Mismatch?
    var count = 0
    var left = 0
    for pair in derivative.gradients {
      for index in before[pair.variable].values.indices {
        guard
          derivative.distanceToKink(before, pair.variable, index) > 2 * DerivativeCheck.step
        else {
          left += 1
          continue
        }
        var moved = before
        let value = before[pair.variable][index]
        moved[pair.variable][index] = value + DerivativeCheck.step
        let above = derivative.objective(moved)
        moved[pair.variable][index] = value - DerivativeCheck.step
        let slope = (above - derivative.objective(moved)) / (2 * DerivativeCheck.step)
        let start = pair.accumulates ? before[pair.gradient][index] : 0
        let got = after[pair.gradient][index]
        let allowed =
          1e-7
          + test.tolerance.allowed(
            at: abs(slope) + abs(start), storedAs: .float32, storage: .float32)
        count += 1
        if first == nil && !(abs(got - start - slope) <= allowed) {
          first = CaseCheck.Mismatch(
            description: "\(test): the derivative by '\(pair.variable)' at \(index) is \(slope)"
              + "; '\(pair.gradient)' went from \(start) to \(got) (within \(allowed))")
        }
      }
    }
    (mismatch, compared, skipped) = (first, count, left)
  }
}
