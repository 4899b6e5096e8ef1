import CPUKernels
import Compute

extension krait_head_rows {
  /// One head's rows of one sequence within a packed matrix.
  fileprivate init(_ view: TensorView, firstRow: Int, firstColumn: Int) {
    self.init(base: view.float + firstRow * view.stride + firstColumn, stride: view.stride)
  }
}

extension krait_attention_head {
  /// One (sequence, query head) of an attention call.
  init(_ operation: Attention.Forward, sequence: Int, head: Int) {
    let geometry = operation.geometry
    let width = geometry.headWidth
    let keyHead = head / (geometry.heads / geometry.keyValueHeads)
    let firstQuery = sequence * geometry.queryLength
    let firstKey = sequence * geometry.keyLength
    func queryRows(_ view: TensorView) -> krait_head_rows {
      krait_head_rows(view, firstRow: firstQuery, firstColumn: head * width)
    }
    func keyRows(_ view: TensorView) -> krait_head_rows {
      krait_head_rows(view, firstRow: firstKey, firstColumn: keyHead * width)
    }
    self.init(
      queries: geometry.queryLength, keys: geometry.keyLength, width: width,
      scale: geometry.scale, query: queryRows(operation.query), key: keyRows(operation.key),
      value: keyRows(operation.value), output: queryRows(operation.output),
      log_sum_exp: krait_head_rows(
        operation.logSumExp, firstRow: firstQuery, firstColumn: head))
  }
}

extension krait_attention_gradients {
  /// Where the gradients of one (sequence, query head) come from and go.
  init(_ operation: Attention.Backward, sequence: Int, head: Int) {
    let geometry = operation.forward.geometry
    let width = geometry.headWidth
    let keyHead = head / (geometry.heads / geometry.keyValueHeads)
    let firstQuery = sequence * geometry.queryLength
    let firstKey = sequence * geometry.keyLength
    func queryRows(_ view: TensorView) -> krait_head_rows {
      krait_head_rows(view, firstRow: firstQuery, firstColumn: head * width)
    }
    func keyRows(_ view: TensorView) -> krait_head_rows {
      krait_head_rows(view, firstRow: firstKey, firstColumn: keyHead * width)
    }
    self.init(
      output: queryRows(operation.outputGradient), query: queryRows(operation.queryGradient),
      key: keyRows(operation.keyGradient), value: keyRows(operation.valueGradient))
  }
}
