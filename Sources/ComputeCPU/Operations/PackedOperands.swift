import CPUKernels
import Compute

/// The rows of one block as operands of `krait_sgemm`.
struct PackedBlock {
  /// Positions of the block's tokens.
  let positions: Range<Int>
  /// Position → token for those positions; nil when tokens stay in place.
  let tokens: UnsafePointer<Int32>?
  /// The block's kept neurons.
  let columns: UnsafePointer<UInt16>

  init(_ pattern: PackedPattern, block: Int, tokens count: Int) {
    let start = block * pattern.blockTokens
    positions = start..<min(start + pattern.blockTokens, count)
    tokens = pattern.order.map { UnsafePointer($0.int32 + start) }
    columns = UnsafePointer(pattern.columns.uint16 + block * pattern.columns.stride)
  }

  /// Rows of a [T, …] matrix in the order of the block.
  func tokenRows(_ view: TensorView, firstColumn: Int = 0, transposed: Bool) -> krait_matrix {
    krait_matrix(
      base: view.float + (tokens == nil ? positions.lowerBound * view.stride : 0) + firstColumn,
      stride: view.stride, rows32: tokens, rows16: nil, transposed: transposed ? 1 : 0)
  }

  /// The same rows, written to.
  func tokenTargets(_ view: TensorView, firstColumn: Int = 0) -> krait_output {
    krait_output(
      base: view.float + (tokens == nil ? positions.lowerBound * view.stride : 0) + firstColumn,
      stride: view.stride, rows32: tokens, rows16: nil)
  }

  /// Kept rows of a neuron-major [f, …] matrix.
  func neuronRows(_ view: TensorView, firstColumn: Int = 0, transposed: Bool) -> krait_matrix {
    krait_matrix(
      base: view.float + firstColumn, stride: view.stride, rows32: nil, rows16: columns,
      transposed: transposed ? 1 : 0)
  }

  /// The block's rows of a packed [T, K] matrix.
  func packedRows(_ view: TensorView, transposed: Bool) -> krait_matrix {
    krait_matrix(
      base: view.float + positions.lowerBound * view.stride, stride: view.stride, rows32: nil,
      rows16: nil, transposed: transposed ? 1 : 0)
  }
}
