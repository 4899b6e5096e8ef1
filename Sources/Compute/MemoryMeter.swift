/// A backend that counts its memory, so that a run can be planned, and refused before it starts.
public protocol MemoryMeter: Backend {
  /// Bytes that are allocated now; on a GPU the work memory of operations is counted in.
  var allocatedBytes: Int { get }
  /// The most that `allocatedBytes` has been since the last `resetPeak`.
  var peakBytes: Int { get }
  /// Starts counting the peak from what is allocated now.
  func resetPeak()
  /// What the device itself says; nil where the memory is the host's.
  func deviceMemory() throws(ComputeError) -> DeviceMemoryUse?
  /// Bytes of work memory that attention or its gradient, whichever takes more, needs beside its
  /// tensors, whose addresses do not matter; nothing runs.
  func workBytes(_ operation: Attention.Backward) throws(ComputeError) -> Int
  /// The same for the product of kept neurons, of the sparse products without a sum the one that
  /// takes most.
  func workBytes(_ operation: KeptProduct) throws(ComputeError) -> Int
  /// The same for the sums that columns are chosen by.
  func workBytes(_ operation: BlockEnergies) throws(ComputeError) -> Int
  /// The same for the gradient of kept neurons.
  func workBytes(_ operation: PackedWeightGradient) throws(ComputeError) -> Int
}

/// The memory of a device as its driver counts it, everybody's use included.
public struct DeviceMemoryUse: Sendable, Equatable {
  /// Bytes there are.
  public var total: Int
  /// Bytes that can still be had.
  public var free: Int
  /// Bytes that are used by anything but allocations of this backend: driver context, kernels,
  /// libraries, other processes.
  public var besides: Int

  /// See the properties.
  public init(total: Int, free: Int, besides: Int) {
    self.total = total
    self.free = free
    self.besides = besides
  }
}
