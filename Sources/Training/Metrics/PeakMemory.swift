public import Compute

/// The most memory that a run held, for its summary.
public struct PeakMemory: Sendable, Equatable {
  /// Bytes allocated at once: state, activations and, on a GPU, work memory.
  public var allocated: Int
  /// What the device says at the end, on a GPU.
  public var device: DeviceMemoryUse?

  /// What a backend counted so far; nil when it does not count.
  ///
  /// - Throws: what the device's driver says when it cannot tell.
  public init?(_ backend: any Backend) throws(ComputeError) {
    guard let meter = backend as? any MemoryMeter else { return nil }
    allocated = meter.peakBytes
    device = try meter.deviceMemory()
  }

  /// For example `31744.0 MiB, with driver, kernels and libraries 32500.5 of 81079.1 MiB`.
  public var text: String {
    func number(_ bytes: Int) -> String { ProgressLine.decimals(Double(bytes) / 1_048_576, 1) }
    guard let device else { return number(allocated) + " MiB" }
    return "\(number(allocated)) MiB, with driver, kernels and libraries "
      + "\(number(allocated + device.besides)) of \(number(device.total)) MiB"
  }

  /// The same as a sentence.
  public var sentence: String { "Peak memory: \(text)." }
}
