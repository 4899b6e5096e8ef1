import CPUKernels
import Compute

/// One head's rows within a packed matrix.
struct HeadRows {
  let base: UnsafeMutablePointer<Float>
  let stride: Int

  init(_ view: TensorView, firstRow: Int, firstColumn: Int) {
    base = view.float + firstRow * view.stride + firstColumn
    stride = view.stride
  }

  func row(_ index: Int) -> UnsafeMutablePointer<Float> { base + index * stride }

  func matrix(_ firstRow: Int, transposed: Bool = false) -> krait_matrix {
    krait_matrix(
      base: row(firstRow), stride: stride, rows32: nil, rows16: nil,
      transposed: transposed ? 1 : 0)
  }

  func target(_ firstRow: Int) -> krait_output {
    krait_output(base: row(firstRow), stride: stride, rows32: nil, rows16: nil)
  }

  func zero(rows: Int, width: Int) {
    for index in 0..<rows { row(index).update(repeating: 0, count: width) }
  }
}

/// One (sequence, query head) of an attention call.
struct AttentionHead {
  let query: HeadRows
  let key: HeadRows
  let value: HeadRows
  let output: HeadRows
  let logSumExp: UnsafeMutablePointer<Float>
  let logSumExpStride: Int
  let width: Int
  let keyLength: Int
  let scale: Float
  private let keysBefore: Int
  private let family: krait_family

  init(_ operation: Attention.Forward, sequence: Int, head: Int, family: krait_family) {
    self.family = family
    let geometry = operation.geometry
    let keyHead = head / (geometry.heads / geometry.keyValueHeads)
    let firstQuery = sequence * geometry.queryLength
    let firstKey = sequence * geometry.keyLength
    width = geometry.headWidth
    keyLength = geometry.keyLength
    scale = geometry.scale
    keysBefore = geometry.keyLength - geometry.queryLength
    query = HeadRows(operation.query, firstRow: firstQuery, firstColumn: head * width)
    output = HeadRows(operation.output, firstRow: firstQuery, firstColumn: head * width)
    key = HeadRows(operation.key, firstRow: firstKey, firstColumn: keyHead * width)
    value = HeadRows(operation.value, firstRow: firstKey, firstColumn: keyHead * width)
    logSumExpStride = operation.logSumExp.stride
    logSumExp = operation.logSumExp.float + firstQuery * logSumExpStride + head
  }

  /// Keys that the queries below `query` see.
  func keyCount(before query: Int) -> Int { keysBefore + query }

  /// A product with our own kernels: too small and too strided for a library to do better.
  func product(
    rows: Int, columns: Int, depth: Int, _ left: krait_matrix, _ right: krait_matrix,
    _ target: krait_output, _ workspace: UnsafeMutableRawPointer, accumulate: Bool = false
  ) {
    krait_sgemm(
      family, rows, columns, depth, left, right, target, 1, accumulate ? 1 : 0,
      KRAIT_EPILOGUE_NONE, nil, 0, workspace)
  }
}

/// Where the gradients of one (sequence, query head) go.
struct AttentionHeadGradients {
  let output: HeadRows
  let query: HeadRows
  let key: HeadRows
  let value: HeadRows

  init(_ operation: Attention.Backward, sequence: Int, head: Int) {
    let geometry = operation.forward.geometry
    let keyHead = head / (geometry.heads / geometry.keyValueHeads)
    let width = geometry.headWidth
    let first = sequence * geometry.queryLength
    output = HeadRows(operation.outputGradient, firstRow: first, firstColumn: head * width)
    query = HeadRows(operation.queryGradient, firstRow: first, firstColumn: head * width)
    key = HeadRows(operation.keyGradient, firstRow: first, firstColumn: keyHead * width)
    value = HeadRows(operation.valueGradient, firstRow: first, firstColumn: keyHead * width)
  }
}

/// A lane's memory in attention: the product's workspace, then scores and their gradients of one
/// block of queries against all keys.
struct AttentionScratch {
  /// Queries whose scores are computed together.
  static let blockRows = 96
  let stride: Int
  private let queryLength: Int

  init(_ geometry: Attention.Geometry) {
    stride = (geometry.keyLength + 15) / 16 * 16
    queryLength = geometry.queryLength
  }

  private var rows: Int { min(queryLength, AttentionScratch.blockRows) }
  private static var workspace: Int { (MatrixLibrary.workspaceBytes + 63) / 64 * 64 }

  var bytes: Int {
    AttentionScratch.workspace + 2 * rows * stride * MemoryLayout<Float>.stride
  }

  var queryBlocks: [Range<Int>] {
    Swift.stride(from: 0, to: queryLength, by: AttentionScratch.blockRows).map {
      $0..<min($0 + AttentionScratch.blockRows, queryLength)
    }
  }

  func scores(_ base: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
    (base + AttentionScratch.workspace).assumingMemoryBound(to: Float.self)
  }

  func slope(_ base: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
    scores(base) + rows * stride
  }
}
