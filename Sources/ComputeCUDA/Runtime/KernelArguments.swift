import Compute

/// The arguments of one launch, each in words of eight bytes, in a kernel's order.
///
/// A kernel reads as many bytes as its parameter has from the start of the argument's words, which
/// is right for little-endian integers, floats, pointers and structs of them.
struct KernelArguments {
  /// All words, argument after argument.
  private(set) var words: [UInt64] = []
  /// The first word of every argument.
  private(set) var offsets: [Int] = []

  init() {
    words.reserveCapacity(24)
    offsets.reserveCapacity(24)
  }

  /// A pointer to the first element of a view.
  mutating func add(_ view: TensorView) { add(view.address) }

  /// A pointer to the first element of a view, and its stride.
  mutating func addWithStride(_ view: TensorView) {
    add(view.address)
    add(view.stride)
  }

  /// A pointer; null when there is no view.
  mutating func add(optional view: TensorView?) { add(view?.address ?? 0) }

  /// A pointer and a stride; null and 0 when there is no view.
  mutating func addWithStride(optional view: TensorView?) {
    add(optional: view)
    add(view?.stride ?? 0)
  }

  /// A 64-bit pointer.
  mutating func add(_ address: UInt64) {
    offsets.append(words.count)
    words.append(address)
  }

  /// An `i64` (or an `int`, whose bytes come first).
  mutating func add(_ value: Int) { add(UInt64(bitPattern: Int64(value))) }

  /// A `float`.
  mutating func add(_ value: Float) { add(UInt64(value.bitPattern)) }

  /// A struct, as the words it is made of.
  mutating func add(words values: [UInt64]) {
    offsets.append(words.count)
    words += values
  }

  /// Calls a function with what `cuLaunchKernel` wants: a pointer to every argument.
  func withPointers<Result>(
    _ body: (UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Result
  ) -> Result {
    words.withUnsafeBufferPointer { buffer in
      let base = UnsafeMutableRawPointer(mutating: buffer.baseAddress)
      var pointers = offsets.map { offset in base.map { $0 + offset * 8 } }
      return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress) }
    }
  }
}
