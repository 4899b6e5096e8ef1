public import Compute
import CUDAInterface
import Glibc

/// Runs every operation on one NVIDIA GPU, on one stream.
///
/// Addresses are device pointers. All operations are reproducible bit for bit on the same GPU with
/// the same libraries, unless faster ones were allowed that are not. Calls only enqueue: nothing waits for the GPU but copies to the host and
/// `synchronize`. With `KRAIT_CUDA_SYNCHRONIZE=1` every launch is waited for and checked.
public final class CUDABackend: MemoryMeter {
  /// What was found on this machine.
  public let libraries: CUDALibraries
  /// The type of activations and of the weights that products use.
  public let storage: ElementType
  /// Whether the same inputs give the same bits; false allows sums in whatever order, which are
  /// faster: the weight gradients of sparse networks and cuDNN's attention gradient.
  public let isReproducible: Bool
  let device: CUDADevice
  let memory: DeviceMemory
  private let pinned: PinnedMemory
  let kernels: KernelLibrary
  let products: MatrixProducts?
  let fused: FusedAttention?
  let timeline: EventTimeline
  let record: CallRecord
  /// Optional libraries that are missing, too old or refuse to work, what that costs, and what to
  /// do: a sentence each.
  public let warnings: [String]
  let launches: KernelLaunches
  /// Counted when it is first asked for: see `HopperCarriedGradient.swift`.
  var clustersOfCarry: [Int]?

  /// Opens the first visible GPU, and compiles kernels that the cache lacks.
  ///
  /// `KRAIT_REPRODUCIBLE`, 0 or 1, overrides `reproducible`.
  /// - Throws: a sentence that names what is missing.
  public init(
    libraries: CUDALibraries = CUDALibraries(), storage: ElementType = .float32,
    reproducible: Bool = true
  ) throws(ComputeError) {
    precondition(storage == .float32 || storage == .bfloat16, "\(storage) as storage")
    self.libraries = libraries
    self.storage = storage
    isReproducible = getenv("KRAIT_REPRODUCIBLE").map { $0.pointee != 48 } ?? reproducible
    device = try CUDADevice(libraries)
    launches = KernelLaunches(device)
    memory = DeviceMemory(device)
    pinned = PinnedMemory(device)
    timeline = EventTimeline(device)
    record = CallRecord(device)
    kernels = try KernelLibrary(libraries, device: device)
    try kernels.prepare(bfloat16: storage == .bfloat16)
    var warnings: [String] = []
    let (device, memory, record) = (device, memory, record)
    products = try CUDABackend.optional(libraries.warning(for: .products), &warnings) {
      () throws(ComputeError) in
      try MatrixProducts(libraries, device: device, memory: memory, record: record)
    }
    fused =
      storage == .float32
      ? nil
      : try CUDABackend.optional(libraries.warning(for: .attention), &warnings) {
        [isReproducible] () throws(ComputeError) in
        try FusedAttention(
          libraries, device: device, memory: memory, record: record, reproducible: isReproducible)
      }
    self.warnings = warnings
  }

  /// What an optional library offers; nil, and a sentence more, when it is not there or refuses.
  private static func optional<Part>(
    _ warning: String, _ warnings: inout [String], _ make: () throws(ComputeError) -> Part?
  ) throws(ComputeError) -> Part? {
    do throws(ComputeError) {
      if let part = try make() { return part }
      warnings.append(warning)
    } catch  where error.code != .outOfMemory {
      warnings.append("\(warning); \(error)")
    }
    return nil
  }

  /// What it runs on, for people.
  public var summary: String {
    "\(device.name), \(storage.rawValue), "
      + (products.map { "cuBLASLt \($0.version)" } ?? "Krait's own matrix kernels (slow)")
      + (fused.map { ", cuDNN \($0.version)" } ?? ", Krait's own attention (slow)")
  }

  /// The first visible GPU in words, for `krait doctor`; compiles nothing.
  public static func describeDevice(_ libraries: CUDALibraries) throws(ComputeError) -> String {
    let device = try CUDADevice(libraries)
    return "\(device.name), compute capability \(device.capability / 10)."
      + "\(device.capability % 10), \(device.multiprocessors) multiprocessors, "
      + "\(device.memoryBytes >> 20) MiB"
  }

  /// Where compiled kernels are kept.
  public static var kernelCacheFolder: String { KernelCache().folder }

  /// Operations are only enqueued.
  public var runsImmediately: Bool { false }

  // MARK: Memory

  /// Bytes that arenas and work memory hold now.
  public var allocatedBytes: Int { memory.allocatedBytes }

  /// The most that they held since the last `resetPeak`.
  public var peakBytes: Int { memory.peakBytes }

  /// Starts counting the peak from what is held now.
  public func resetPeak() { memory.resetPeak() }

  /// What the driver says of the whole GPU.
  public func deviceMemory() throws(ComputeError) -> DeviceMemoryUse? { try memory.use() }

  /// What `run` asks for, forward and backward; the library's plans are made by this.
  public func workBytes(_ operation: Attention.Backward) throws(ComputeError) -> Int {
    let forward = try fused?.forwardWorkBytes(operation.forward) ?? 0
    let bytes =
      try fused?.backwardWorkBytes(operation)
      ?? operation.forward.output.rows * operation.forward.geometry.heads * 4
    return DeviceMemory.scratchBytes(for: max(forward, bytes))
  }

  /// What `run` asks for: nothing in kernels of its own, two [T, f] matrices for the detour through
  /// the library.
  public func workBytes(_ operation: KeptProduct) throws(ComputeError) -> Int {
    let (input, weights) = (operation.input, operation.weights)
    let isOwn = suitsHopper(
      [input, weights, operation.output], operation.pattern, width: input.columns)
    let bytes =
      isOwn
      ? 0
      : denseWorkBytes(
        tokens: input.rows, neurons: weights.rows, matrices: 2, operation.output.elementType) ?? 0
    return bytes == 0 ? 0 : DeviceMemory.scratchBytes(for: bytes)
  }

  /// Reserves device memory.
  public func allocate(byteCount: Int, purpose: String) throws(ComputeError) -> UInt64 {
    try memory.allocate(byteCount: byteCount, purpose: purpose)
  }

  /// Gives memory back, once what was asked for is done.
  public func release(_ address: UInt64, byteCount: Int) { memory.release(address) }

  /// Copies dense host bytes into a view, after what was asked for before.
  public func copy(from host: UnsafeRawBufferPointer, to view: TensorView) throws(ComputeError) {
    let rowBytes = view.columns * view.elementType.byteCount
    precondition(host.count == view.rows * rowBytes, "\(host.count) bytes into \(view)")
    guard let source = host.baseAddress, host.count > 0 else { return }
    var copy = copyDescription(rows: view.rows, rowBytes: rowBytes)
    copy.source_type = UInt32(KRAIT_CU_MEMORY_HOST)
    let staged = try pinned.stage(host)
    copy.source_host = staged.map { UnsafeRawPointer($0.address) } ?? source
    copy.source_pitch = rowBytes
    copy.destination_device = view.address
    copy.destination_pitch = view.stride * view.elementType.byteCount
    try run(copy, isDense: view.isContiguous, "copying \(view) to the GPU")
    try staged?.mark()
  }

  /// Starts to copy a view to the host, through memory that the GPU writes to.
  public func startReading(_ view: TensorView) throws(ComputeError) -> any PendingRead {
    precondition(view.elementType == .float32, "\(view) as floats")
    guard view.isContiguous, view.count > 0, let slot = try pinned.landing(count: view.count)
    else { return FinishedRead(try read(view)) }
    var copy = copyDescription(rows: view.rows, rowBytes: view.columns * 4)
    copy.source_device = view.address
    copy.destination_type = UInt32(KRAIT_CU_MEMORY_HOST)
    copy.destination_host = slot.address
    try run(copy, isDense: true, "copying \(view) from the GPU")
    try slot.mark()
    return pinned.read(slot, count: view.count)
  }

  /// Copies a view into dense host bytes; complete when it returns.
  public func copy(
    from view: TensorView, to host: UnsafeMutableRawBufferPointer
  ) throws(ComputeError) {
    let rowBytes = view.columns * view.elementType.byteCount
    precondition(host.count == view.rows * rowBytes, "\(view) into \(host.count) bytes")
    guard let destination = host.baseAddress, host.count > 0 else { return }
    var copy = copyDescription(rows: view.rows, rowBytes: rowBytes)
    copy.source_device = view.address
    copy.source_pitch = view.stride * view.elementType.byteCount
    copy.destination_type = UInt32(KRAIT_CU_MEMORY_HOST)
    copy.destination_host = destination
    copy.destination_pitch = rowBytes
    try run(copy, isDense: view.isContiguous, "copying \(view) from the GPU")
    try device.synchronize("copying \(view) from the GPU")
  }

  /// Copies between two views of the same shape.
  public func copy(
    from source: TensorView, to destination: TensorView
  ) throws(ComputeError) {
    precondition(
      source.rows == destination.rows && source.columns == destination.columns
        && source.elementType == destination.elementType, "\(source) into \(destination)")
    guard source.count > 0 else { return }
    let width = source.elementType.byteCount
    var copy = copyDescription(rows: source.rows, rowBytes: source.columns * width)
    copy.source_device = source.address
    copy.source_pitch = source.stride * width
    copy.destination_device = destination.address
    copy.destination_pitch = destination.stride * width
    try run(
      copy, isDense: source.isContiguous && destination.isContiguous, "copying \(source)")
  }

  /// Sets every element to zero.
  public func zero(_ view: TensorView) throws(ComputeError) {
    guard view.count > 0 else { return }
    try device.enter()
    let width = view.elementType.byteCount
    try record.bracket("clear", work: (0, Double(view.count * width))) { () throws(ComputeError) in
      if view.isContiguous {
        try device.check(
          device.driver.pointee.fill(view.address, 0, view.count * width, device.stream),
          "cuMemsetD8Async", "clearing \(view)")
      } else {
        try device.check(
          device.driver.pointee.fill_2d(
            view.address, view.stride * width, 0, view.columns * width, view.rows,
            device.stream),
          "cuMemsetD2D8Async", "clearing \(view)")
      }
    }
  }

  /// Waits until everything asked for so far is done.
  public func synchronize() throws(ComputeError) {
    try device.enter()
    try device.synchronize("waiting for the GPU")
  }

  // MARK: Time

  /// Runs some work with an event before and after every kernel and library call; what each cost,
  /// the most expensive first. Events between kernels slow the work down by some percent.
  public func profile(_ work: () throws -> Void) throws -> [CallCost] {
    try synchronize()
    record.start()
    do {
      try work()
    } catch {
      _ = try? record.stop()
      throw error
    }
    return try record.stop()
  }

  // MARK: Copying

  private func copyDescription(rows: Int, rowBytes: Int) -> krait_cu_copy_2d {
    var copy = krait_cu_copy_2d()
    copy.source_type = UInt32(KRAIT_CU_MEMORY_DEVICE)
    copy.destination_type = UInt32(KRAIT_CU_MEMORY_DEVICE)
    copy.width_bytes = rowBytes
    copy.height = rows
    return copy
  }

  /// Rows may be longer than a 2D copy's pitch may be, so dense copies go as one stretch.
  private func run(
    _ copy: krait_cu_copy_2d, isDense: Bool, _ doing: @autoclosure () -> String
  ) throws(ComputeError) {
    try device.enter()
    let bytes = Double(copy.width_bytes * copy.height)
    let isOnDevice = copy.source_host == nil && copy.destination_host == nil
    let label = isOnDevice ? "copy" : copy.source_host == nil ? "copy to host" : "copy to GPU"
    try record.bracket(label, work: (0, isOnDevice ? 2 * bytes : bytes)) {
      () throws(ComputeError) in
      try enqueue(copy, isDense: isDense, doing())
    }
  }

  private func enqueue(
    _ copy: krait_cu_copy_2d, isDense: Bool, _ doing: @autoclosure () -> String
  ) throws(ComputeError) {
    var copy = copy
    let driver = device.driver.pointee
    guard isDense else {
      return try device.check(driver.copy_2d(&copy, device.stream), "cuMemcpy2DAsync", doing())
    }
    let bytes = copy.width_bytes * copy.height
    if let host = copy.source_host {
      try device.check(
        driver.copy_to_device(copy.destination_device, host, bytes, device.stream),
        "cuMemcpyHtoDAsync", doing())
    } else if let host = copy.destination_host {
      try device.check(
        driver.copy_to_host(host, copy.source_device, bytes, device.stream),
        "cuMemcpyDtoHAsync", doing())
    } else {
      try device.check(
        driver.copy_on_device(copy.destination_device, copy.source_device, bytes, device.stream),
        "cuMemcpyDtoDAsync", doing())
    }
  }
}
