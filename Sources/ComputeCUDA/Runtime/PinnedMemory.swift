import CUDAInterface
import Compute
import Glibc

/// Host memory that the GPU reads and writes by itself: small copies through it are enqueued as
/// kernels are, where copies of other memory keep the host waiting until the GPU has come to them.
final class PinnedMemory {
  /// A piece of memory, and the event after the last copy that uses it.
  final class Slot {
    let address: UnsafeMutableRawPointer
    fileprivate let bytes: Int
    fileprivate let event: krait_cu_event
    private let device: CUDADevice

    fileprivate init?(_ device: CUDADevice, bytes: Int) {
      let driver = device.driver.pointee
      var memory: UnsafeMutableRawPointer?
      var made: krait_cu_event?
      guard driver.host_allocate(&memory, bytes, 0) == 0, let memory else { return nil }
      guard driver.event_create(&made, UInt32(KRAIT_CU_EVENT_WITHOUT_TIME)) == 0, let made else {
        _ = driver.host_release(memory)
        return nil
      }
      self.device = device
      self.bytes = bytes
      address = memory
      event = made
    }

    deinit {
      // A copy may still be under way.
      try? wait()
      _ = device.driver.pointee.event_destroy(event)
      _ = device.driver.pointee.host_release(address)
    }

    /// Notes that the copies that use this memory have been asked for.
    func mark() throws(ComputeError) {
      try device.check(
        device.driver.pointee.event_record(event, device.stream), "cuEventRecord", "copying")
    }

    /// Waits until they are done.
    fileprivate func wait() throws(ComputeError) {
      try device.enter()
      try device.check(
        device.driver.pointee.event_synchronize(event), "cuEventSynchronize", "copying")
    }
  }

  /// A copy to the host that may still be under way.
  final class Read: PendingRead {
    private let slot: Slot
    private let count: Int
    private let memory: PinnedMemory

    fileprivate init(_ slot: Slot, count: Int, memory: PinnedMemory) {
      self.slot = slot
      self.count = count
      self.memory = memory
    }

    deinit { memory.free.append(slot) }

    func floats() throws(ComputeError) -> [Float] {
      try slot.wait()
      let numbers = slot.address.assumingMemoryBound(to: Float.self)
      return Array(UnsafeBufferPointer(start: numbers, count: count))
    }
  }

  /// Larger copies to the GPU do not go this way: they are rare, and memory of this kind is dear.
  static let mostBytes = 1 << 20
  /// Copies to the GPU that may be under way at a time.
  private static let turns = 8
  private let device: CUDADevice
  private var uploads: [Slot] = []
  private var turn = 0
  /// For copies to the host.
  private var free: [Slot] = []

  init(_ device: CUDADevice) { self.device = device }

  /// Memory that holds these bytes; nil where they are too many, or the system gives none. Ask for the
  /// copy, then call `mark`.
  func stage(_ bytes: UnsafeRawBufferPointer) throws(ComputeError) -> Slot? {
    guard let source = bytes.baseAddress, bytes.count <= PinnedMemory.mostBytes else { return nil }
    try device.enter()
    turn = (turn + 1) % PinnedMemory.turns
    if turn < uploads.count { try uploads[turn].wait() }
    if turn >= uploads.count || uploads[turn].bytes < bytes.count {
      guard let slot = slot(bytes.count) else { return nil }
      if turn < uploads.count {
        uploads[turn] = slot
      } else {
        turn = uploads.count
        uploads.append(slot)
      }
    }
    memcpy(uploads[turn].address, source, bytes.count)
    return uploads[turn]
  }

  /// Memory for so many floats from the GPU; nil where the system gives none.
  func landing(count: Int) throws(ComputeError) -> Slot? {
    try device.enter()
    guard let index = free.firstIndex(where: { $0.bytes >= 4 * count }) else {
      return slot(4 * count)
    }
    let slot = free.remove(at: index)
    // Nobody may have waited for what it held.
    try slot.wait()
    return slot
  }

  /// What becomes of such memory once the copy has been asked for.
  func read(_ slot: Slot, count: Int) -> Read { Read(slot, count: count, memory: self) }

  private func slot(_ bytes: Int) -> Slot? {
    let unit = 4096
    return Slot(device, bytes: (bytes + unit - 1) / unit * unit)
  }
}
