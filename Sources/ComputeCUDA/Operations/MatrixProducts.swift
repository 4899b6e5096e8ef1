import CUDAInterface
import Compute

/// Dense products through cuBLASLt: an algorithm is chosen once per shape and kept, see
/// `ProductTuner`.
///
/// Row-major [m, n] is column-major [n, m]: the library computes the transposed product with its
/// factors exchanged. float32 products are computed in float32, never TF32. Split reductions go
/// through work memory in a fixed order, so results are reproducible.
final class MatrixProducts {
  /// The library's version, for people.
  let version: String
  private let library: UnsafePointer<krait_cublaslt>
  private let handle: krait_lt_handle
  private let device: CUDADevice
  private let workspace: UInt64
  private let memory: DeviceMemory
  private let record: CallRecord
  private let tuner: ProductTuner
  private var plans: [Shape: Plan?] = [:]

  /// Work memory of the library: what NVIDIA recommends for Hopper.
  private static let workspaceBytes = 32 << 20

  /// Everything that an algorithm depends on.
  private struct Shape: Hashable {
    var m, n, k: Int
    var transposeLeft, transposeRight: Bool
    var leftStride, rightStride, addendStride, outputStride: Int
    var inputType, outputType: ElementType
    var leftAlignment, rightAlignment, addendAlignment, outputAlignment: UInt32
    /// Whether something is added, and whether that is what the output held.
    var adds, addsInPlace: Bool

    /// For people: `product 16384 x 3072 x 768 nt -> bf16`.
    var label: String {
      "product \(m) x \(n) x \(k) \(transposeLeft ? "t" : "n")\(transposeRight ? "t" : "n") -> "
        + (outputType == .bfloat16 ? "bf16" : "f32") + (adds ? " +" : "")
    }
  }

  private final class Plan {
    let operation: krait_lt_operation
    let left, right, addend, output: krait_lt_layout
    /// What the library proposes, what it thinks the fastest first.
    var candidates: [krait_lt_algorithm] = []
    var choice = 0

    init(
      operation: krait_lt_operation, left: krait_lt_layout, right: krait_lt_layout,
      addend: krait_lt_layout, output: krait_lt_layout
    ) {
      self.operation = operation
      self.left = left
      self.right = right
      self.addend = addend
      self.output = output
    }
  }

  /// Nil when this machine has no cuBLASLt.
  init?(
    _ libraries: CUDALibraries, device: CUDADevice, memory: DeviceMemory, record: CallRecord
  ) throws(ComputeError) {
    guard let library = libraries.products else { return nil }
    self.library = library
    self.device = device
    self.memory = memory
    self.record = record
    tuner = ProductTuner(device: device, libraryVersion: "\(library.pointee.version())")
    version = "\(library.pointee.version())"
    var made: krait_lt_handle?
    let status = library.pointee.create(&made)
    guard status == 0, let made else {
      throw MatrixProducts.failure(library, status, "cublasLtCreate", "opening cuBLASLt")
    }
    handle = made
    workspace = try memory.allocate(
      byteCount: MatrixProducts.workspaceBytes, purpose: "work memory of cuBLASLt")
  }

  deinit {
    for case let plan? in plans.values {
      _ = library.pointee.operation_destroy(plan.operation)
      for layout in [plan.left, plan.right, plan.addend, plan.output] {
        _ = library.pointee.layout_destroy(layout)
      }
    }
    _ = library.pointee.destroy(handle)
    memory.release(workspace)
  }

  /// Runs the product without its epilogue; false when the library has no algorithm for it.
  func run(_ operation: MatrixMultiply, addend: TensorView?) throws(ComputeError) -> Bool {
    let source = addend ?? operation.output
    let shape = Shape(
      m: operation.output.rows, n: operation.output.columns, k: operation.depth,
      transposeLeft: operation.transposeLeft, transposeRight: operation.transposeRight,
      leftStride: stride(operation.left), rightStride: stride(operation.right),
      addendStride: stride(source), outputStride: stride(operation.output),
      inputType: operation.left.elementType, outputType: operation.output.elementType,
      leftAlignment: alignment(operation.left), rightAlignment: alignment(operation.right),
      addendAlignment: alignment(source), outputAlignment: alignment(operation.output),
      adds: addend != nil, addsInPlace: addend?.address == operation.output.address)
    let plan: Plan?
    if let known = plans[shape] {
      plan = known
    } else {
      plan = try makePlan(shape)
      plans[shape] = .some(plan)
      if let plan { try tune(plan, shape, operation, source) }
    }
    guard let plan else { return false }
    let status = try record.bracket(
      shape.label, work: (operation.flops, operation.bytes)
    ) { () throws(ComputeError) in
      multiply(plan, plan.candidates[plan.choice], operation, source, adds: shape.adds)
    }
    if status != 0 {
      throw MatrixProducts.failure(library, status, "cublasLtMatmul", "multiplying \(operation)")
    }
    return true
  }

  private func multiply(
    _ plan: Plan, _ algorithm: krait_lt_algorithm, _ operation: MatrixMultiply,
    _ source: TensorView, adds: Bool, alpha: Float? = nil
  ) -> Int32 {
    var alpha = alpha ?? operation.alpha
    var beta: Float = adds ? 1 : 0
    var algorithm = algorithm
    return library.pointee.multiply(
      handle, plan.operation, &alpha, operation.right.address, plan.right,
      operation.left.address, plan.left, &beta, source.address, plan.addend,
      operation.output.address, plan.output, &algorithm, workspace,
      MatrixProducts.workspaceBytes, device.stream)
  }

  /// Chooses among a new plan's candidates by their time on the operation itself.
  ///
  /// What the output holds does not matter yet, unless the product adds to it: then the factor is
  /// the smallest float, whose products vanish beside any sum.
  private func tune(
    _ plan: Plan, _ shape: Shape, _ operation: MatrixMultiply, _ source: TensorView
  ) throws(ComputeError) {
    guard shape.inputType == .bfloat16, operation.flops >= 1e9 else { return }
    plan.choice = try tuner.choose(
      plan.candidates.count, for: "\(shape)",
      run: { index in
        multiply(
          plan, plan.candidates[index], operation, source, adds: shape.adds,
          alpha: shape.addsInPlace ? .leastNonzeroMagnitude : nil)
      })
  }

  /// A single row may have any stride; the library wants one that is at least the width.
  private func stride(_ view: TensorView) -> Int { max(view.stride, view.columns, 1) }

  /// The largest power of two that an address is a multiple of, 256 at most.
  private func alignment(_ view: TensorView) -> UInt32 {
    UInt32(1) << UInt32(min(view.address.trailingZeroBitCount, 8))
  }

  private func makePlan(_ shape: Shape) throws(ComputeError) -> Plan? {
    let doing = "planning a product [\(shape.m), \(shape.k)] x [\(shape.k), \(shape.n)]"
    func call(_ name: String, _ status: Int32) throws(ComputeError) {
      if status != 0 { throw MatrixProducts.failure(library, status, name, doing) }
    }
    func layout(
      _ type: ElementType, rows: Int, columns: Int, stride: Int
    ) throws(ComputeError) -> krait_lt_layout {
      var made: krait_lt_layout?
      let code = type == .bfloat16 ? KRAIT_LT_BFLOAT16 : KRAIT_LT_FLOAT32
      // A row-major matrix of so many rows is a column-major one of so many columns.
      try call(
        "cublasLtMatrixLayoutCreate",
        library.pointee.layout_create(
          &made, Int32(code), UInt64(columns), UInt64(rows), Int64(stride)))
      guard let made else { preconditionFailure("cuBLASLt gave no layout") }
      return made
    }
    var made: krait_lt_operation?
    try call(
      "cublasLtMatmulDescCreate",
      library.pointee.operation_create(
        &made, Int32(KRAIT_LT_COMPUTE_FLOAT32), Int32(KRAIT_LT_FLOAT32)))
    guard let made else { preconditionFailure("cuBLASLt gave no operation") }
    var transposed = Int32(KRAIT_LT_TRANSPOSED)
    // The library's A is our right factor.
    for (attribute, isOn) in [
      (KRAIT_LT_TRANSPOSE_LEFT, shape.transposeRight),
      (KRAIT_LT_TRANSPOSE_RIGHT, shape.transposeLeft),
    ] where isOn {
      try call(
        "cublasLtMatmulDescSetAttribute",
        library.pointee.operation_set(made, Int32(attribute), &transposed, 4))
    }
    let plan = Plan(
      operation: made,
      left: try layout(
        shape.inputType, rows: shape.transposeLeft ? shape.k : shape.m,
        columns: shape.transposeLeft ? shape.m : shape.k, stride: shape.leftStride),
      right: try layout(
        shape.inputType, rows: shape.transposeRight ? shape.n : shape.k,
        columns: shape.transposeRight ? shape.k : shape.n, stride: shape.rightStride),
      addend: try layout(
        shape.outputType, rows: shape.m, columns: shape.n, stride: shape.addendStride),
      output: try layout(
        shape.outputType, rows: shape.m, columns: shape.n, stride: shape.outputStride))
    try findCandidates(plan, shape, doing)
    return plan.candidates.isEmpty ? nil : plan
  }

  private func findCandidates(
    _ plan: Plan, _ shape: Shape, _ doing: String
  ) throws(ComputeError) {
    func call(_ name: String, _ status: Int32) throws(ComputeError) {
      if status != 0 { throw MatrixProducts.failure(library, status, name, doing) }
    }
    var made: krait_lt_preference?
    try call("cublasLtMatmulPreferenceCreate", library.pointee.preference_create(&made))
    guard let preference = made else { preconditionFailure("cuBLASLt gave no preference") }
    defer { _ = library.pointee.preference_destroy(preference) }
    var bytes = MatrixProducts.workspaceBytes
    try call(
      "cublasLtMatmulPreferenceSetAttribute",
      library.pointee.preference_set(
        preference, Int32(KRAIT_LT_WORKSPACE_BYTES), &bytes, 8))
    var schemes = UInt32(KRAIT_LT_REPRODUCIBLE_REDUCTIONS)
    try call(
      "cublasLtMatmulPreferenceSetAttribute",
      library.pointee.preference_set(
        preference, Int32(KRAIT_LT_REDUCTION_SCHEMES), &schemes, 4))
    for (attribute, value) in [
      (KRAIT_LT_ALIGNMENT_A, shape.rightAlignment), (KRAIT_LT_ALIGNMENT_B, shape.leftAlignment),
      (KRAIT_LT_ALIGNMENT_C, shape.addendAlignment),
      (KRAIT_LT_ALIGNMENT_D, shape.outputAlignment),
    ] {
      var value = value
      try call(
        "cublasLtMatmulPreferenceSetAttribute",
        library.pointee.preference_set(preference, Int32(attribute), &value, 4))
    }
    var found = [krait_lt_candidate](
      repeating: krait_lt_candidate(), count: ProductTuner.candidates)
    var count: Int32 = 0
    let status = library.pointee.candidates(
      handle, plan.operation, plan.right, plan.left, plan.addend, plan.output, preference,
      Int32(found.count), &found, &count)
    guard status == 0 else { return }
    plan.candidates = found.prefix(Int(count)).filter { $0.status == 0 }.map(\.algorithm)
  }

  private static func failure(
    _ library: UnsafePointer<krait_cublaslt>, _ status: Int32, _ call: String, _ doing: String
  ) -> ComputeError {
    let text = library.pointee.status_text(status).map { String(cString: $0) } ?? "an error"
    return ComputeError(.library(status), call: call, context: "\(text), while \(doing)")
  }
}
