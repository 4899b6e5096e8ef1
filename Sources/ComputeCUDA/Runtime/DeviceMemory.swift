import CUDAInterface
import Compute

/// Memory of the GPU: what is held, by what; and work memory that operations share.
final class DeviceMemory {
  private let device: CUDADevice
  private var held: [UInt64: (bytes: Int, purpose: String)] = [:]
  private var workspace: (address: UInt64, bytes: Int)?
  /// Bytes held now.
  private(set) var allocatedBytes = 0
  /// The most that `allocatedBytes` has been since the last `resetPeak`.
  private(set) var peakBytes = 0

  init(_ device: CUDADevice) { self.device = device }

  deinit {
    if let workspace { _ = device.driver.pointee.release(workspace.address) }
  }

  func allocate(byteCount: Int, purpose: String) throws(ComputeError) -> UInt64 {
    try device.enter()
    var address: UInt64 = 0
    let code = device.driver.pointee.allocate(&address, max(byteCount, Arena.alignment))
    if code == Int32(KRAIT_CU_OUT_OF_MEMORY) {
      throw ComputeError(
        .outOfMemory, call: "cuMemAlloc",
        context: "\(byteCount >> 20) MiB for \(purpose) on \(device.name), which holds "
          + "\(summary); lower data.microBatch or the model size, or free memory")
    }
    try device.check(code, "cuMemAlloc", "reserving \(byteCount) bytes for \(purpose)")
    held[address] = (byteCount, purpose)
    allocatedBytes += byteCount
    peakBytes = max(peakBytes, allocatedBytes)
    return address
  }

  func release(_ address: UInt64) {
    // Work that still uses the memory is waited for by the driver.
    _ = try? device.enter()
    _ = device.driver.pointee.release(address)
    allocatedBytes -= held.removeValue(forKey: address)?.bytes ?? 0
  }

  /// Starts counting the peak from what is held now.
  func resetPeak() { peakBytes = allocatedBytes }

  /// What the driver says of the whole GPU.
  func use() throws(ComputeError) -> DeviceMemoryUse {
    try device.enter()
    var free = 0
    var total = 0
    try device.check(
      device.driver.pointee.memory_info(&free, &total), "cuMemGetInfo", "asking for free memory")
    return DeviceMemoryUse(
      total: total, free: free, besides: max(0, total - free - allocatedBytes))
  }

  /// At least so many bytes that are free until the next call; contents are undefined.
  ///
  /// Grows to what is asked for and no further: the steps after the first of a kind allocate
  /// nothing, and the largest operation of a step decides.
  func scratch(bytes: Int) throws(ComputeError) -> UInt64 {
    if let workspace, workspace.bytes >= bytes { return workspace.address }
    let size = DeviceMemory.scratchBytes(for: bytes)
    if let workspace {
      // Kernels in flight may still use the old one.
      try device.synchronize("growing the work memory")
      release(workspace.address)
      self.workspace = nil
    }
    let address = try allocate(byteCount: size, purpose: "work memory")
    workspace = (address, size)
    return address
  }

  /// What a part of work memory takes, so that the next one starts at a multiple of 256 bytes.
  static func partBytes(_ bytes: Int) -> Int { (bytes + 255) / 256 * 256 }

  /// What `scratch` reserves for so many bytes.
  static func scratchBytes(for bytes: Int) -> Int {
    let unit = 2 << 20
    return (max(bytes, 1) + unit - 1) / unit * unit
  }

  /// The largest holders, for out-of-memory sentences.
  private var summary: String {
    let largest = held.values.sorted { $0.bytes > $1.bytes }.prefix(4)
    let list = largest.map { "\($0.bytes >> 20) MiB of \($0.purpose)" }.joined(separator: ", ")
    return list.isEmpty ? "nothing of Krait's" : list
  }
}
