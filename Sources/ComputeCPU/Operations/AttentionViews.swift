import CPUKernels
import Compute

/// Where one (sequence, query head) of an attention call lies within packed matrices.
private struct HeadPlace {
  let width: Int
  let head: Int
  let keyHead: Int
  /// The head's row among those of all heads and sequences.
  let row: Int
  let firstQuery: Int
  let firstKey: Int

  init(_ geometry: Attention.Geometry, sequence: Int, head: Int) {
    width = geometry.headWidth
    self.head = head
    row = sequence * geometry.heads + head
    keyHead = head / (geometry.heads / geometry.keyValueHeads)
    firstQuery = sequence * geometry.queryLength
    firstKey = sequence * geometry.keyLength
  }

  func queryRows(_ view: TensorView) -> krait_head_rows {
    rows(view, firstRow: firstQuery, firstColumn: head * width)
  }
  func keyRows(_ view: TensorView) -> krait_head_rows {
    rows(view, firstRow: firstKey, firstColumn: keyHead * width)
  }
  /// One number for each query, in the row of the head.
  func queryNumbers(_ view: TensorView) -> krait_head_rows {
    krait_head_rows(base: view.float + row * view.stride, stride: 1)
  }

  private func rows(_ view: TensorView, firstRow: Int, firstColumn: Int) -> krait_head_rows {
    krait_head_rows(
      base: view.float + firstRow * view.stride + firstColumn, stride: view.stride)
  }
}

extension krait_attention_head {
  /// One (sequence, query head) of an attention call.
  init(_ operation: Attention.Forward, sequence: Int, head: Int) {
    let geometry = operation.geometry
    let place = HeadPlace(geometry, sequence: sequence, head: head)
    self.init(
      queries: geometry.queryLength, keys: geometry.keyLength, width: geometry.headWidth,
      scale: geometry.scale, query: place.queryRows(operation.query),
      key: place.keyRows(operation.key), value: place.keyRows(operation.value),
      output: place.queryRows(operation.output),
      log_sum_exp: place.queryNumbers(operation.logSumExp))
  }
}

extension krait_attention_gradients {
  /// Where the gradients of one (sequence, query head) come from and go.
  init(_ operation: Attention.Backward, sequence: Int, head: Int) {
    let place = HeadPlace(operation.forward.geometry, sequence: sequence, head: head)
    self.init(
      output: place.queryRows(operation.outputGradient),
      query: place.queryRows(operation.queryGradient), key: place.keyRows(operation.keyGradient),
      value: place.keyRows(operation.valueGradient))
  }
}
