import CUDAInterface
import Compute

/// Memory of the GPU: what is held, by what; and work memory that operations share.
final class DeviceMemory {
  private let device: CUDADevice
  private var held: [UInt64: (bytes: Int, purpose: String)] = [:]
  private var workspace: (address: UInt64, bytes: Int)?

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
    return address
  }

  func release(_ address: UInt64) {
    // Work that still uses the memory is waited for by the driver.
    _ = try? device.enter()
    _ = device.driver.pointee.release(address)
    held[address] = nil
  }

  /// At least so many bytes that are free until the next call; contents are undefined.
  ///
  /// Grows by doubling, so that the steps after the first few allocate nothing.
  func scratch(bytes: Int) throws(ComputeError) -> UInt64 {
    if let workspace, workspace.bytes >= bytes { return workspace.address }
    let size = max(bytes, 2 * (workspace?.bytes ?? 0), 1 << 20)
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

  /// Bytes held now.
  var allocatedBytes: Int { held.values.reduce(0) { $0 + $1.bytes } }

  /// The largest holders, for out-of-memory sentences.
  private var summary: String {
    let largest = held.values.sorted { $0.bytes > $1.bytes }.prefix(4)
    let list = largest.map { "\($0.bytes >> 20) MiB of \($0.purpose)" }.joined(separator: ", ")
    return list.isEmpty ? "nothing of Krait's" : list
  }
}
