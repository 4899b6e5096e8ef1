public import Compute

/// An operation at a size: inputs, what comes out, how exactly, and what it costs.
///
/// Cases exist once and drive the CPU's tests, gradient checks, `krait selftest`, the rows of
/// `krait bench operations` and the comparison of other backends with the definition.
public struct OperationCase: Sendable, CustomStringConvertible {
  /// The operation, for example `RMSNorm.Forward`.
  public let operation: String
  /// What is particular about this case: sizes, layout, flags.
  public let detail: String
  /// Every argument.
  public let tensors: [CaseTensor]
  /// How far outputs may lie from the reference.
  public let tolerance: Tolerance
  /// What the gradient check needs; nil where nothing is differentiated.
  public let derivative: Derivative?
  /// Floating-point operations of one run.
  public let flops: Double
  /// Bytes that must move at least once, with float32 storage.
  public let bytes: Double
  /// Runs the operation.
  public let run: @Sendable (any Backend, CaseViews) throws -> Void
  /// Changes outputs and updates to what they must be; plain loops in double precision that share
  /// nothing with any backend.
  public let reference: @Sendable (inout CaseNumbers) -> Void

  /// A case of an operation that `make` builds from views.
  init<Work: Operation>(
    _ operation: String, _ detail: String, _ tensors: [CaseTensor], tolerance: Tolerance,
    derivative: Derivative? = nil, make: @escaping @Sendable (CaseViews) -> Work,
    run: @escaping @Sendable (any Backend, Work) throws -> Void,
    reference: @escaping @Sendable (inout CaseNumbers) -> Void
  ) {
    self.operation = operation
    self.detail = detail
    self.tensors = tensors
    self.tolerance = tolerance
    self.derivative = derivative
    self.run = { backend, views in try run(backend, make(views)) }
    self.reference = reference
    // Costs follow from shapes: any address will do.
    var views = CaseViews()
    for tensor in tensors where tensor.role != .hidden {
      views.views[tensor.name] = TensorView(
        address: 4096, rows: tensor.rows, columns: tensor.columns, stride: tensor.stride,
        elementType: tensor.elementType(storage: .float32))
    }
    let work = make(views)
    work.checkShapes()
    flops = work.flops
    bytes = work.bytes
  }

  /// For example `RMSNorm.Forward 3 x 5, sliced`.
  public var description: String { "\(operation) \(detail)" }
}

/// What a backward pass is the derivative of.
public struct Derivative: Sendable {
  /// A variable and the tensor that holds its gradient after the run.
  public struct Gradient: Sendable {
    /// The tensor that is varied.
    public let variable: String
    /// The tensor that must hold the derivative (less what it held before, if it accumulates).
    public let gradient: String
    /// Whether the operation adds to what the gradient tensor held.
    public let accumulates: Bool
  }

  /// All of them.
  public let gradients: [Gradient]
  /// The scalar that is differentiated: usually the sum of output gradient times output.
  public let objective: @Sendable (CaseNumbers) -> Double
  /// Distance of a variable's element from the nearest point where the derivative is undefined;
  /// elements closer than the step are left out.
  public let distanceToKink: @Sendable (CaseNumbers, _ variable: String, _ index: Int) -> Double

  init(
    _ gradients: [Gradient],
    distanceToKink: @escaping @Sendable (CaseNumbers, String, Int) -> Double = { _, _, _ in
      .infinity
    },
    objective: @escaping @Sendable (CaseNumbers) -> Double
  ) {
    self.gradients = gradients
    self.objective = objective
    self.distanceToKink = distanceToKink
  }
}
