public import Compute
import CPUKernels
import Glibc

extension CPUBackend {
  /// Queries of a block of rows see all their keys at once: scores, softmax, values.
  public func run(_ operation: Attention.Forward) throws(ComputeError) {
    operation.checkShapes()
    let geometry = operation.geometry
    let memory = AttentionScratch(geometry)
    scratch.reserve(bytes: memory.bytes)
    rows.forEachChunk(geometry.sequences * geometry.heads) { lane, chunk in
      let (sequence, head) = chunk.quotientAndRemainder(dividingBy: geometry.heads)
      let views = AttentionHead(
        operation, sequence: sequence, head: head, family: library.family)
      for queries in memory.queryBlocks {
        attend(views, queries: queries, memory: memory, lane: lane)
      }
    }
  }

  private func attend(
    _ head: AttentionHead, queries: Range<Int>, memory: AttentionScratch, lane: Int
  ) {
    let keys = head.keyCount(before: queries.upperBound)
    let scores = memory.scores(scratch[lane])
    let work = scratch[lane]
    head.product(
      rows: queries.count, columns: keys, depth: head.width,
      head.query.matrix(queries.lowerBound), head.key.matrix(0, transposed: true),
      krait_output(base: scores, stride: memory.stride, rows32: nil, rows16: nil), work)
    for index in 0..<queries.count {
      let row = scores + index * memory.stride
      let seen = head.keyCount(before: queries.lowerBound + index + 1)
      let maximum = krait_maximum(row, seen) * head.scale
      let sum = krait_exp_shifted(row, seen, head.scale, maximum)
      krait_scale(row, seen, 1 / sum)
      (row + seen).update(repeating: 0, count: keys - seen)
      head.logSumExp[(queries.lowerBound + index) * head.logSumExpStride] = maximum + log(sum)
    }
    head.product(
      rows: queries.count, columns: head.width, depth: keys,
      krait_matrix(
        base: scores, stride: memory.stride, rows32: nil, rows16: nil, transposed: 0),
      head.value.matrix(0), head.output.target(queries.lowerBound), work)
  }

  /// One task per sequence and key head: its query heads add to dK and dV in order.
  public func run(_ operation: Attention.Backward) throws(ComputeError) {
    operation.checkShapes()
    let geometry = operation.forward.geometry
    let memory = AttentionScratch(geometry)
    scratch.reserve(bytes: memory.bytes)
    let group = geometry.heads / geometry.keyValueHeads
    rows.forEachChunk(geometry.sequences * geometry.keyValueHeads) { lane, chunk in
      let (sequence, keyHead) = chunk.quotientAndRemainder(dividingBy: geometry.keyValueHeads)
      for member in 0..<group {
        let head = keyHead * group + member
        let gradients = AttentionHeadGradients(operation, sequence: sequence, head: head)
        for queries in memory.queryBlocks {
          attendBackward(
            AttentionHead(
              operation.forward, sequence: sequence, head: head, family: library.family), gradients,
            queries: queries, isFirst: member == 0 && queries.lowerBound == 0, memory: memory,
            lane: lane)
        }
      }
    }
  }

  private func attendBackward(
    _ head: AttentionHead, _ gradients: AttentionHeadGradients, queries: Range<Int>,
    isFirst: Bool, memory: AttentionScratch, lane: Int
  ) {
    let keys = head.keyCount(before: queries.upperBound)
    let work = scratch[lane]
    let scores = memory.scores(work)
    let slope = memory.slope(work)
    func plain(_ base: UnsafeMutablePointer<Float>, transposed: Bool) -> krait_matrix {
      krait_matrix(
        base: base, stride: memory.stride, rows32: nil, rows16: nil,
        transposed: transposed ? 1 : 0)
    }
    func target(_ base: UnsafeMutablePointer<Float>) -> krait_output {
      krait_output(base: base, stride: memory.stride, rows32: nil, rows16: nil)
    }
    head.product(
      rows: queries.count, columns: keys, depth: head.width,
      head.query.matrix(queries.lowerBound), head.key.matrix(0, transposed: true),
      target(scores), work)
    head.product(
      rows: queries.count, columns: keys, depth: head.width,
      gradients.output.matrix(queries.lowerBound), head.value.matrix(0, transposed: true),
      target(slope), work)
    for index in 0..<queries.count {
      let query = queries.lowerBound + index
      let seen = head.keyCount(before: query + 1)
      let row = index * memory.stride
      let delta = krait_dot(
        head.output.row(query), gradients.output.row(query), head.width)
      krait_softmax_gradient(
        scores + row, slope + row, seen, head.scale,
        head.logSumExp[query * head.logSumExpStride], delta)
      (scores + row + seen).update(repeating: 0, count: keys - seen)
      (slope + row + seen).update(repeating: 0, count: keys - seen)
    }
    head.product(
      rows: queries.count, columns: head.width, depth: keys, plain(slope, transposed: false),
      head.key.matrix(0), gradients.query.target(queries.lowerBound), work)
    if isFirst {
      gradients.key.zero(rows: head.keyLength, width: head.width)
      gradients.value.zero(rows: head.keyLength, width: head.width)
    }
    head.product(
      rows: keys, columns: head.width, depth: queries.count, plain(slope, transposed: true),
      head.query.matrix(queries.lowerBound), gradients.key.target(0), work, accumulate: true)
    head.product(
      rows: keys, columns: head.width, depth: queries.count, plain(scores, transposed: true),
      gradients.output.matrix(queries.lowerBound), gradients.value.target(0), work,
      accumulate: true)
  }
}
