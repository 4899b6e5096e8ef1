public import Compute
import FeedForward
import Transformer

/// What a run will hold on a machine, and whether there is that much: known before anything is
/// allocated.
public struct MemoryForecast: Sendable, Equatable {
  /// Bytes by what they are for, the largest first; they are held together at the peak.
  public let parts: [Part]
  /// What the device says now; nil where the memory is the host's.
  public let device: DeviceMemoryUse?
  private let free: Int
  private let recomputes: Bool

  /// One purpose.
  public struct Part: Sendable, Equatable {
    /// For example `activations outside FFNs`.
    public let name: String
    /// Its bytes.
    public let bytes: Int
    /// Whether the device's driver counts them as used already.
    public let isHeld: Bool
  }

  /// Forecasts a configuration on a backend that holds no run yet.
  ///
  /// - Throws: what the device's driver says when it cannot tell.
  public init(
    _ configuration: RunConfiguration, on backend: any MemoryMeter
  ) throws(ComputeError) {
    let plan = RunPlan(configuration, storage: backend.storage)
    let data = configuration.data
    device = try backend.deviceMemory()
    free = device?.free ?? .max
    recomputes = configuration.device.recompute == .layer
    let state = Part(
      name: "parameters, gradients, moments", bytes: plan.stateBytes, isHeld: false)
    let activations = Part(
      name: "activations outside FFNs", bytes: plan.activationBytes, isHeld: false)
    let rest = Part(
      name: "FFNs and what runs beside them",
      bytes: plan.peakBytes - plan.stateBytes - plan.activationBytes, isHeld: false)
    let attention = try TrainingPass.workBytes(
      configuration.model, sequences: data.microBatch, sequenceLength: data.sequence, on: backend)
    let phases = SparsityPhases(configuration.schedule, feedForward: configuration.feedForward)
    var products = 0
    for mode in Set(phases.phases.map(\.mode)) {
      products = max(
        products,
        try FeedForwardStack.workBytes(
          configuration.feedForward, mode: mode, shape: plan.feedForwardShape, on: backend))
    }
    // Gathered rows are the largest of the others.
    let others = device == nil ? 0 : plan.streamBytes + 2 << 20
    let work = Part(
      name: "work memory of operations", bytes: max(attention, products, others), isHeld: false)
    let besides = Part(
      name: "driver, kernels, libraries, others",
      bytes: (device?.besides ?? 0) + (device == nil ? 0 : backend.allocatedBytes), isHeld: true)
    parts = [state, activations, rest, work, besides].filter { $0.bytes > 0 }
      .sorted { $0.bytes > $1.bytes }
  }

  /// All of them: the peak.
  public var bytes: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// Why the run cannot start, and what to change; nil when there is enough memory.
  public var problem: String? {
    let needed = parts.reduce(0) { $0 + ($1.isHeld ? 0 : $1.bytes) }
    guard needed > free else { return nil }
    func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
    let list = parts.filter { !$0.isHeld }.map { "\(mebibytes($0.bytes)) for \($0.name)" }
      .joined(separator: ", ")
    return "the run needs \(mebibytes(needed)) of GPU memory and \(mebibytes(free)) of "
      + "\(mebibytes(device?.total ?? 0)) are free: \(list). Lower data.microBatch (the batch "
      + "stays as it is), data.sequence or the model"
      + (recomputes ? "" : ", or set device.recompute=layer")
      + "; krait plan shows what a change gains"
  }
}
