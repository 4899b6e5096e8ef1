import CUDAInterface
import Compute
import Glibc

/// Attention through cuDNN's fused kernels: bfloat16, whole causal sequences.
///
/// A plan is compiled once per shape (half a second) and kept. Sequences are multiples of 128
/// tokens: for other lengths some releases compute wrong gradients, so those take the plain kernel.
final class FusedAttention {
  let library: UnsafePointer<krait_cudnn>
  let handle: krait_dnn_handle
  let device: CUDADevice
  private let memory: DeviceMemory
  private let record: CallRecord
  let tuner: ProductTuner
  /// Whether times choose among the library's kernels: `KRAIT_TUNE_ATTENTION=1`. Its first proposal
  /// is the one that was checked on a GPU.
  let choosesByTime = getenv("KRAIT_TUNE_ATTENTION").map { $0.pointee == 49 } ?? false
  var plans: [Key: Plan?] = [:]
  /// Whether the backward pass gives the same bits every time.
  let isReproducible: Bool

  /// Older releases are not used: what they do wrong was not looked at.
  static let oldestVersion = 91_301

  /// Nil without a usable cuDNN. The backward pass that need not be reproducible leaves the order
  /// of additions to chance.
  init?(
    _ libraries: CUDALibraries, device: CUDADevice, memory: DeviceMemory, record: CallRecord,
    reproducible: Bool
  ) throws(ComputeError) {
    // cuDNN aborts the process when these two are missing.
    guard let library = libraries.attention, libraries.products != nil,
      libraries.compiler != nil, library.pointee.version() >= FusedAttention.oldestVersion
    else { return nil }
    self.library = library
    self.device = device
    self.memory = memory
    self.record = record
    tuner = ProductTuner(device: device, libraryVersion: "cuDNN \(library.pointee.version())")
    isReproducible = reproducible
    try device.enter()
    var made: krait_dnn_handle?
    let status = library.pointee.create(&made)
    guard status == 0, let made else {
      throw FusedAttention.failure(library, status, "cudnnCreate")
    }
    handle = made
    let streamed = library.pointee.set_stream(made, device.stream)
    if streamed != 0 { throw FusedAttention.failure(library, streamed, "cudnnSetStream") }
  }

  deinit {
    for case let plan? in plans.values { _ = library.pointee.descriptor_destroy(plan.descriptor) }
    _ = library.pointee.destroy(handle)
  }

  /// For people.
  var version: String {
    let number = library.pointee.version()
    return "\(number / 10000).\(number % 10000 / 100).\(number % 100)"
  }

  // MARK: Running

  /// Bytes of one number per row and head.
  private func rowBytes(_ g: Attention.Geometry) -> Int {
    DeviceMemory.partBytes(g.sequences * g.heads * g.queryLength * 4)
  }

  /// The library reads and writes `logSumExp` where it lies, if its rows are dense.
  private func isInPlace(_ operation: Attention.Forward) -> Bool {
    operation.logSumExp.isContiguous && operation.logSumExp.address % 16 == 0
  }

  /// Runs the forward pass; the address of the statistics, [sequences, heads, length]: that of
  /// `logSumExp`, or of work memory. Nil when the operation does not suit.
  func forward(_ operation: Attention.Forward) throws(ComputeError) -> UInt64? {
    let g = operation.geometry
    guard let plan = try forwardPlan(operation) else { return nil }
    let base = try memory.scratch(bytes: rowBytes(g) + plan.workspace)
    let statistics = isInPlace(operation) ? operation.logSumExp.address : base
    let t = plan.tensors
    let bindings = [
      (t.query, operation.query.address), (t.key, operation.key.address),
      (t.value, operation.value.address), (t.output, operation.output.address),
      (t.statistics, statistics),
    ]
    let workspace = base + UInt64(rowBytes(g))
    try choose(plan, "attention forward \(g)", bindings, workspace: workspace)
    try execute(plan, bindings, workspace: workspace, operation, "forward")
    return statistics
  }

  /// Runs the backward pass; false when the operation does not suit.
  ///
  /// `fillStatistics` puts `logSumExp` in dense rows at an address, where it does not lie so.
  func backward(
    _ operation: Attention.Backward, fillStatistics: (UInt64) throws(ComputeError) -> Void
  ) throws(ComputeError) -> Bool {
    let forward = operation.forward
    let g = forward.geometry
    guard let plan = try backwardPlan(operation) else { return false }
    let rows = rowBytes(g)
    let t = plan.tensors
    let sums = sumBytes(plan, g)
    let base = try memory.scratch(bytes: 2 * rows + sums + plan.workspace)
    let inPlace = isInPlace(forward)
    if !inPlace { try fillStatistics(base) }
    var bindings = [
      (t.query, forward.query.address), (t.key, forward.key.address),
      (t.value, forward.value.address), (t.output, forward.output.address),
      (t.statistics, inPlace ? forward.logSumExp.address : base),
      (t.outputDot, base + UInt64(rows)),
      (t.outputGradient, operation.outputGradient.address),
      (t.queryGradient, operation.queryGradient.address),
      (t.keyGradient, operation.keyGradient.address),
      (t.valueGradient, operation.valueGradient.address),
    ]
    if t.querySums != 0 { bindings.append((t.querySums, base + UInt64(2 * rows))) }
    let workspace = base + UInt64(2 * rows + sums)
    try choose(plan, "attention backward \(g)", bindings, workspace: workspace)
    try execute(plan, bindings, workspace: workspace, operation, "backward")
    return true
  }

  /// Bytes that `backward` works in; nil when the operation does not suit.
  func backwardWorkBytes(_ operation: Attention.Backward) throws(ComputeError) -> Int? {
    let g = operation.forward.geometry
    return try backwardPlan(operation).map { 2 * rowBytes(g) + sumBytes($0, g) + $0.workspace }
  }

  /// Bytes of the query gradient's float32 sums, which only some plans want.
  private func sumBytes(_ plan: Plan, _ g: Attention.Geometry) -> Int {
    plan.tensors.querySums == 0 ? 0 : rowBytes(g) * g.headWidth
  }

  /// Bytes that `forward` works in; nil when the operation does not suit.
  func forwardWorkBytes(_ operation: Attention.Forward) throws(ComputeError) -> Int? {
    try forwardPlan(operation).map { rowBytes(operation.geometry) + $0.workspace }
  }

  private func execute(
    _ plan: Plan, _ bindings: [(Int64, UInt64)], workspace: UInt64,
    _ operation: any Compute.Operation, _ label: String
  ) throws(ComputeError) {
    try record.bracket(
      "cuDNN attention \(label)",
      work: record.isOn ? (operation.flops, operation.bytes) : nil
    ) { () throws(ComputeError) in
      try enqueue(plan.descriptor, plan, bindings, workspace: workspace)
    }
  }

  func enqueue(
    _ descriptor: krait_dnn_descriptor, _ plan: Plan, _ bindings: [(Int64, UInt64)],
    workspace: UInt64
  ) throws(ComputeError) {
    try device.enter()
    var numbers: [Int64] = bindings.map(\.0)
    var pointers = bindings.map { UnsafeMutableRawPointer(bitPattern: UInt($0.1)) }
    for (index, number) in [plan.tensors.scale, plan.tensors.fill, plan.tensors.one].enumerated()
    where number != 0 {
      numbers.append(number)
      pointers.append(UnsafeMutableRawPointer(plan.numbers + index))
    }
    var made: krait_dnn_descriptor?
    var status = library.pointee.descriptor_create(16, &made)
    guard status == 0, let pack = made else {
      throw FusedAttention.failure(library, status, "cudnnBackendCreateDescriptor")
    }
    defer { _ = library.pointee.descriptor_destroy(pack) }
    var work = UnsafeMutableRawPointer(bitPattern: UInt(workspace))
    status = library.pointee.attribute_set(pack, 1000, 3, Int64(numbers.count), numbers)
    if status == 0 {
      status = library.pointee.attribute_set(pack, 1001, 6, Int64(pointers.count), pointers)
    }
    if status == 0 { status = library.pointee.attribute_set(pack, 1003, 6, 1, &work) }
    if status == 0 { status = library.pointee.finalize(pack) }
    if status == 0 { status = library.pointee.execute(handle, descriptor, pack) }
    if status != 0 { throw FusedAttention.failure(library, status, "cudnnBackendExecute") }
  }

  static func failure(
    _ library: UnsafePointer<krait_cudnn>, _ status: Int32, _ call: String
  ) -> ComputeError {
    let text = library.pointee.status_text(status).map { String(cString: $0) } ?? "error"
    var detail = [CChar](repeating: 0, count: 1024)
    library.pointee.last_error(&detail, detail.count)
    let more = String(
      decoding: detail.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return ComputeError(
      .library(status), call: call, context: "\(text), while computing attention: \(more)")
  }
}
