import CUDAInterface
import Compute

/// Builds an operation graph of cuDNN and turns it into a plan.
///
/// Tensors are known to the library by number; a virtual one lives inside the fused kernel only.
/// The numbers below are cuDNN 9's enumerations, the same in every release of it.
final class AttentionGraph {
  /// Types of elements.
  enum Element: Int32 {
    case float32 = 0
    case int32 = 4
    case bfloat16 = 9
    case boolean = 11
  }

  /// Where a tensor lives.
  enum Place {
    /// In device memory, given at every run.
    case memory
    /// Inside the kernel.
    case virtual
    /// A number in host memory, given at every run.
    case value
  }

  /// What a pointwise operation does.
  enum Pointwise: Int32 {
    case add = 0
    case multiply = 1
    case divide = 6
    case subtract = 9
    case exponential = 13
    case logarithm = 15
    case identity = 21
    case isAtLeast = 303
    case index = 501
    case select = 601
  }

  /// How an axis is reduced.
  enum Reduction: Int32 {
    case add = 0
    case maximum = 3
  }

  /// A tensor of the graph.
  struct Tensor {
    let number: Int64
    fileprivate let descriptor: krait_dnn_descriptor
  }

  /// Sizes and strides of four axes: sequence, head, row, column.
  struct Layout {
    var sizes: [Int64]
    var strides: [Int64]

    /// Densely packed, axes in order.
    static func packed(_ sizes: [Int]) -> Layout {
      var strides = [Int64](repeating: 1, count: sizes.count)
      for axis in stride(from: sizes.count - 2, through: 0, by: -1) {
        strides[axis] = strides[axis + 1] * Int64(sizes[axis + 1])
      }
      return Layout(sizes: sizes.map(Int64.init), strides: strides)
    }

    /// Heads side by side in rows of a [sequences · length, …] matrix.
    static func rows(_ view: TensorView, sequences: Int, length: Int, width: Int) -> Layout {
      let heads = view.columns / width
      return Layout(
        sizes: [sequences, heads, length, width].map(Int64.init),
        strides: [length * view.stride, width, view.stride, 1].map(Int64.init))
    }

    /// The last two axes exchanged: the same memory, transposed.
    var transposed: Layout {
      var result = self
      result.sizes.swapAt(2, 3)
      result.strides.swapAt(2, 3)
      return result
    }
  }

  private let library: UnsafePointer<krait_cudnn>
  private let handle: krait_dnn_handle
  private var owned: [krait_dnn_descriptor] = []
  private var operations: [krait_dnn_descriptor] = []
  private var count: Int64 = 0

  init(_ library: UnsafePointer<krait_cudnn>, handle: krait_dnn_handle) {
    self.library = library
    self.handle = handle
  }

  deinit {
    for descriptor in owned { _ = library.pointee.descriptor_destroy(descriptor) }
  }

  // MARK: Tensors and operations

  func tensor(
    _ element: Element, _ layout: Layout, _ place: Place
  ) throws(ComputeError) -> Tensor {
    count += 1
    let made = try create(17)
    try set(made, 901, 1, [element.rawValue])
    try set(made, 902, 3, layout.sizes)
    try set(made, 903, 3, layout.strides)
    try set(made, 906, 3, [count])
    try set(made, 900, 3, [Int64(16)])
    if place == .virtual { try set(made, 907, 2, [true]) }
    if place == .value { try set(made, 908, 2, [true]) }
    try finalize(made)
    return Tensor(number: count, descriptor: made)
  }

  /// A float32 number.
  func number() throws(ComputeError) -> Tensor {
    try tensor(.float32, .packed([1, 1, 1, 1]), .value)
  }

  func product(_ a: Tensor, _ b: Tensor, into c: Tensor) throws(ComputeError) {
    let how = try create(18)
    try set(how, 1500, 1, [Element.float32.rawValue])
    try finalize(how)
    try addOperation(
      19, [(1520, a.descriptor), (1521, b.descriptor), (1522, c.descriptor), (1523, how)])
  }

  func pointwise(
    _ mode: Pointwise, _ x: Tensor, _ b: Tensor? = nil, where mask: Tensor? = nil,
    axis: Int64? = nil, into y: Tensor
  ) throws(ComputeError) {
    let how = try create(0)
    try set(how, 0, 14, [mode.rawValue])
    let precision: Element = mode == .isAtLeast ? .boolean : .float32
    try set(how, 1, 1, [precision.rawValue])
    if let axis { try set(how, 9, 3, [axis]) }
    try finalize(how)
    var parts = [(750, how), (751, x.descriptor), (753, y.descriptor)]
    if let b { parts.append((752, b.descriptor)) }
    if let mask { parts.append((758, mask.descriptor)) }
    try addOperation(13, parts)
  }

  func reduce(_ how: Reduction, _ x: Tensor, into y: Tensor) throws(ComputeError) {
    let made = try create(21)
    try set(made, 1600, 18, [how.rawValue])
    try set(made, 1601, 1, [Element.float32.rawValue])
    try finalize(made)
    try addOperation(22, [(1612, made), (1610, x.descriptor), (1611, y.descriptor)])
  }

  /// The same elements in another shape or type.
  func reshape(_ x: Tensor, into y: Tensor) throws(ComputeError) {
    try addOperation(31, [(2200, x.descriptor), (2201, y.descriptor)])
  }

  private func addOperation(
    _ type: Int32, _ parts: [(Int, krait_dnn_descriptor)]
  ) throws(ComputeError) {
    let made = try create(type)
    for (name, part) in parts { try set(made, Int32(name), 15, [part]) }
    try finalize(made)
    operations.append(made)
  }

  // MARK: Plans

  /// Where the library's proposals come from.
  enum Heuristics: Int32 {
    case fallback = 2
    case preferred = 3
  }

  /// How the library would compute the graph, what it thinks the fastest first; valid as long as
  /// the graph.
  func configurations(_ mode: Heuristics) throws(ComputeError) -> [krait_dnn_descriptor] {
    let graph = try create(15)
    try set(graph, 800, 0, [handle])
    try set(graph, 801, 15, operations)
    try finalize(graph)
    let heuristics = try create(4)
    try set(heuristics, 201, 15, [graph])
    try set(heuristics, 200, 8, [mode.rawValue])
    guard library.pointee.finalize(heuristics) == 0 else { return [] }
    var available: Int64 = 0
    guard library.pointee.attribute_get(heuristics, 202, 15, 0, &available, nil) == 0 else {
      return []
    }
    var configurations: [krait_dnn_descriptor?] = []
    for _ in 0..<available { configurations.append(try create(3)) }
    var filled: Int64 = 0
    let status = configurations.withUnsafeMutableBytes {
      library.pointee.attribute_get(heuristics, 202, 15, available, &filled, $0.baseAddress)
    }
    return status == 0 ? configurations.prefix(Int(filled)).compactMap { $0 } : []
  }

  /// A compiled plan, which the caller owns, and the bytes of work memory it needs; nil when the
  /// library cannot after all.
  func plan(
    _ configuration: krait_dnn_descriptor
  ) throws(ComputeError) -> (plan: krait_dnn_descriptor, workspace: Int)? {
    let made = try create(5)
    try set(made, 400, 0, [handle])
    try set(made, 401, 15, [configuration])
    guard library.pointee.finalize(made) == 0 else { return nil }
    var bytes: Int64 = 0
    guard library.pointee.attribute_get(made, 402, 3, 1, nil, &bytes) == 0 else { return nil }
    owned.removeAll { $0 == made }
    return (made, Int(bytes))
  }

  // MARK: Descriptors

  private func create(_ type: Int32) throws(ComputeError) -> krait_dnn_descriptor {
    var made: krait_dnn_descriptor?
    let status = library.pointee.descriptor_create(type, &made)
    guard status == 0, let made else {
      throw FusedAttention.failure(library, status, "cudnnBackendCreateDescriptor")
    }
    owned.append(made)
    return made
  }

  private func set<Value>(
    _ descriptor: krait_dnn_descriptor, _ name: Int32, _ type: Int32, _ values: [Value]
  ) throws(ComputeError) {
    let status = values.withUnsafeBytes { bytes in
      bytes.baseAddress.map {
        library.pointee.attribute_set(descriptor, name, type, Int64(values.count), $0)
      } ?? 0
    }
    if status != 0 {
      throw FusedAttention.failure(library, status, "cudnnBackendSetAttribute(\(name))")
    }
  }

  private func finalize(_ descriptor: krait_dnn_descriptor) throws(ComputeError) {
    let status = library.pointee.finalize(descriptor)
    if status != 0 { throw FusedAttention.failure(library, status, "cudnnBackendFinalize") }
  }
}
