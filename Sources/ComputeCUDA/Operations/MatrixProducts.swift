import CUDAInterface
import Compute

/// Dense products through cuBLASLt: an algorithm is looked up once per shape and kept.
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

    /// For people: `product 16384 x 3072 x 768 nt -> bf16`.
    var label: String {
      "product \(m) x \(n) x \(k) \(transposeLeft ? "t" : "n")\(transposeRight ? "t" : "n") -> "
        + (outputType == .bfloat16 ? "bf16" : "f32")
    }
  }

  private final class Plan {
    let operation: krait_lt_operation
    let left, right, addend, output: krait_lt_layout
    var algorithm = krait_lt_algorithm()

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
      addendAlignment: alignment(source), outputAlignment: alignment(operation.output))
    let plan: Plan?
    if let known = plans[shape] {
      plan = known
    } else {
      plan = try makePlan(shape)
      plans[shape] = .some(plan)
    }
    guard let plan else { return false }
    var alpha = operation.alpha
    var beta: Float = addend == nil ? 0 : 1
    let status = try record.bracket(
      shape.label + (addend == nil ? "" : " +"), work: (operation.flops, operation.bytes)
    ) { () throws(ComputeError) in
      library.pointee.multiply(
        handle, plan.operation, &alpha, operation.right.address, plan.right,
        operation.left.address, plan.left, &beta, source.address, plan.addend,
        operation.output.address, plan.output, &plan.algorithm, workspace,
        MatrixProducts.workspaceBytes, device.stream)
    }
    if status != 0 {
      throw MatrixProducts.failure(library, status, "cublasLtMatmul", "multiplying \(operation)")
    }
    return true
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
    return try chooseAlgorithm(plan, shape, doing) ? plan : nil
  }

  private func chooseAlgorithm(
    _ plan: Plan, _ shape: Shape, _ doing: String
  ) throws(ComputeError) -> Bool {
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
    var candidate = krait_lt_candidate()
    var count: Int32 = 0
    let status = library.pointee.candidates(
      handle, plan.operation, plan.right, plan.left, plan.addend, plan.output, preference, 1,
      &candidate, &count)
    guard status == 0, count > 0, candidate.status == 0 else { return false }
    plan.algorithm = candidate.algorithm
    return true
  }

  private static func failure(
    _ library: UnsafePointer<krait_cublaslt>, _ status: Int32, _ call: String, _ doing: String
  ) -> ComputeError {
    let text = library.pointee.status_text(status).map { String(cString: $0) } ?? "an error"
    return ComputeError(.library(status), call: call, context: "\(text), while \(doing)")
  }
}
