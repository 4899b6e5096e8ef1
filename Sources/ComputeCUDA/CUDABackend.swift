public import Compute
import CUDAInterface
import Foundation

/// Runs every operation on one NVIDIA GPU, on one stream.
///
/// Addresses are device pointers. All operations are reproducible bit for bit on the same GPU with
/// the same libraries, unless faster ones were allowed that are not. Calls only enqueue: nothing
/// waits for the GPU but copies to the host, many or large copies from there (see `PinnedMemory`),
/// and `synchronize`. With `KRAIT_CUDA_SYNCHRONIZE=1` every launch is waited for and checked.
public final class CUDABackend: MemoryMeter {
  /// What was found on this machine.
  public let libraries: CUDALibraries
  /// The type of activations and of the weights that products use.
  public let storage: ElementType
  /// Whether the same inputs give the same bits; false allows sums in whatever order, which are
  /// faster: the weight gradients of sparse networks and cuDNN's attention gradient.
  public let isReproducible: Bool
  /// Threads that work on the host may take: compiling, initial weights, clustering.
  public let hostThreads: Int
  let device: CUDADevice
  let memory: DeviceMemory
  let pinned: PinnedMemory
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
    reproducible: Bool = true, hostThreads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(ComputeError) {
    precondition(storage == .float32 || storage == .bfloat16, "\(storage) as storage")
    self.libraries = libraries
    self.storage = storage
    isReproducible = environmentFlag("KRAIT_REPRODUCIBLE") ?? reproducible
    self.hostThreads = max(1, hostThreads)
    device = try CUDADevice(libraries)
    launches = KernelLaunches(device)
    memory = DeviceMemory(device)
    pinned = PinnedMemory(device)
    timeline = EventTimeline(device)
    record = CallRecord(device)
    kernels = try KernelLibrary(libraries, device: device, threads: hostThreads)
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
}
