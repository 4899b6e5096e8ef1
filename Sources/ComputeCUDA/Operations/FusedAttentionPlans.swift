import CUDAInterface
import Compute
import Foundation

/// Which of the library's kernels an operation takes.
extension FusedAttention {
  /// Everything that a plan depends on.
  struct Key: Hashable {
    var isForward: Bool
    var sizes: [Int]
    var strides: [Int]
  }

  /// A compiled plan and the host memory its numbers are read from.
  final class Plan {
    var descriptor: krait_dnn_descriptor
    /// Bytes of work memory: the most of all candidates.
    let workspace: Int
    /// What times still have to choose from, by number; a choice empties it.
    var candidates: [Int: krait_dnn_descriptor] = [:]
    var candidateCount = 0
    let tensors: AttentionTensors
    /// scale, fill, one.
    let numbers: UnsafeMutablePointer<Float>

    init(
      _ descriptor: krait_dnn_descriptor, workspace: Int, tensors: AttentionTensors, scale: Float
    ) {
      self.descriptor = descriptor
      self.workspace = workspace
      self.tensors = tensors
      numbers = UnsafeMutablePointer<Float>.allocate(capacity: 3)
      numbers[0] = scale
      numbers[1] = -.infinity
      numbers[2] = 1
    }

    deinit { numbers.deallocate() }
  }

  /// Whether the fused kernels can be trusted with an operation.
  private func suits(_ geometry: Attention.Geometry, _ views: [TensorView]) -> Bool {
    geometry.queryLength == geometry.keyLength && geometry.queryLength % 128 == 0
      && geometry.headWidth % 8 == 0 && geometry.headWidth <= 128
      && geometry.sequences < 65536 && geometry.heads < 65536
      && views.allSatisfy {
        $0.elementType == .bfloat16 && $0.stride % 8 == 0 && $0.address % 16 == 0
      }
  }

  func forwardPlan(_ operation: Attention.Forward) throws(ComputeError) -> Plan? {
    let views = [operation.query, operation.key, operation.value, operation.output]
    guard suits(operation.geometry, views) else { return nil }
    return try plan(
      isForward: true, operation.geometry, views,
      { graph throws(ComputeError) in try graph.forward(operation) })
  }

  func backwardPlan(_ operation: Attention.Backward) throws(ComputeError) -> Plan? {
    let forward = operation.forward
    let g = forward.geometry
    let views = [
      forward.query, forward.key, forward.value, forward.output, operation.outputGradient,
      operation.queryGradient, operation.keyGradient, operation.valueGradient,
    ]
    guard suits(g, views) else { return nil }
    let isReproducible = isReproducible
    return try plan(
      isForward: false, g, views,
      { graph throws(ComputeError) in
        try graph.backward(operation, reproducible: isReproducible)
      })
  }

  private func plan(
    isForward: Bool, _ g: Attention.Geometry, _ views: [TensorView],
    _ build: (AttentionGraph) throws(ComputeError) -> AttentionTensors
  ) throws(ComputeError) -> Plan? {
    let key = Key(
      isForward: isForward,
      sizes: [g.sequences, g.queryLength, g.heads, g.keyValueHeads, g.headWidth],
      strides: views.map(\.stride))
    if let known = plans[key] { return known }
    try device.enter()
    let graph = AttentionGraph(library, handle: handle)
    var made: Plan?
    do throws(ComputeError) {
      let tensors = try build(graph)
      made = try plan(
        graph, tensors, g, choosing: choosesByTime && (isForward || !isReproducible),
        label: "attention \(isForward ? "forward" : "backward") \(g)")
    } catch {
      FusedAttention.warn("\(error.call): \(error.context)")
    }
    if made == nil {
      FusedAttention.warn("cuDNN \(version) has no kernel for \(g): attention will be slow")
    }
    plans[key] = .some(made)
    return made
  }

  /// The plan of a graph, or candidates for it where their times may decide: not where another
  /// kernel might leave the order of additions to chance.
  private func plan(
    _ graph: AttentionGraph, _ tensors: AttentionTensors, _ g: Attention.Geometry,
    choosing: Bool, label: String
  ) throws(ComputeError) -> Plan? {
    let preferred = choosing ? try graph.configurations(.preferred) : []
    let count = min(preferred.count, ProductTuner.candidates)
    if count > 1 {
      if let known = tuner.known(count, for: label) {
        if let found = try graph.plan(preferred[known]) {
          return Plan(found.plan, workspace: found.workspace, tensors: tensors, scale: g.scale)
        }
      } else {
        var candidates: [Int: krait_dnn_descriptor] = [:]
        var workspace = 0
        for index in 0..<count {
          guard let found = try graph.plan(preferred[index]) else { continue }
          candidates[index] = found.plan
          workspace = max(workspace, found.workspace)
        }
        if let first = candidates.min(by: { $0.key < $1.key }) {
          let plan = Plan(first.value, workspace: workspace, tensors: tensors, scale: g.scale)
          plan.candidates = candidates
          plan.candidateCount = count
          return plan
        }
      }
    }
    for mode in [AttentionGraph.Heuristics.preferred, .fallback] {
      for configuration in try graph.configurations(mode) {
        if let found = try graph.plan(configuration) {
          return Plan(found.plan, workspace: found.workspace, tensors: tensors, scale: g.scale)
        }
      }
    }
    return nil
  }

  /// Chooses among a new plan's candidates by their time on the operation itself.
  func choose(
    _ plan: Plan, _ label: String, _ bindings: [(Int64, UInt64)], workspace: UInt64
  ) throws(ComputeError) {
    guard !plan.candidates.isEmpty else { return }
    let chosen = try tuner.choose(
      plan.candidateCount, for: label,
      run: { index in
        guard let candidate = plan.candidates[index],
          (try? enqueue(candidate, plan, bindings, workspace: workspace)) != nil
        else { return -1 }
        return 0
      })
    if let descriptor = plan.candidates[chosen] { plan.descriptor = descriptor }
    for (_, descriptor) in plan.candidates where descriptor != plan.descriptor {
      _ = library.pointee.descriptor_destroy(descriptor)
    }
    plan.candidates = [:]
  }

  private static func warn(_ sentence: String) {
    FileHandle.standardError.write(Data((sentence + "\n").utf8))
  }
}
