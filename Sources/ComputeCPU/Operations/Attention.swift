public import Compute
import CPUKernels

extension CPUBackend {
  /// One task per sequence and query head.
  public func run(_ operation: Attention.Forward) throws(ComputeError) {
    operation.checkShapes()
    let geometry = operation.geometry
    reserveAttentionScratch(geometry)
    rows.forEachChunk(geometry.sequences * geometry.heads) { lane, chunk in
      let (sequence, head) = chunk.quotientAndRemainder(dividingBy: geometry.heads)
      var views = krait_attention_head(operation, sequence: sequence, head: head)
      krait_attention_forward(library.family, &views, scratch[lane])
    }
  }

  /// One task per sequence and key head: its query heads add to dK and dV in order.
  public func run(_ operation: Attention.Backward) throws(ComputeError) {
    operation.checkShapes()
    let geometry = operation.forward.geometry
    reserveAttentionScratch(geometry)
    let group = geometry.heads / geometry.keyValueHeads
    rows.forEachChunk(geometry.sequences * geometry.keyValueHeads) { lane, chunk in
      let (sequence, keyHead) = chunk.quotientAndRemainder(dividingBy: geometry.keyValueHeads)
      for member in 0..<group {
        let head = keyHead * group + member
        var views = krait_attention_head(operation.forward, sequence: sequence, head: head)
        var gradients = krait_attention_gradients(operation, sequence: sequence, head: head)
        krait_attention_backward(
          library.family, &views, &gradients, member > 0 ? 1 : 0, scratch[lane])
      }
    }
  }

  private func reserveAttentionScratch(_ geometry: Attention.Geometry) {
    scratch.reserve(
      bytes: krait_attention_workspace(library.family, geometry.keyLength, geometry.headWidth))
  }
}
