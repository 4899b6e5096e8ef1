import Compute

/// A backend with tensors made from a seed: the same numbers on every machine.
///
/// With bfloat16 storage the GPU holds bfloat16 and the CPU the same rounded numbers as float32, so
/// that both compute from equal inputs.
final class Machine {
  let backend: any Backend
  private let storage: ElementType
  private let isRounded: Bool
  private var arenas: [Arena] = []

  init(_ backend: any Backend, storage: ElementType, isRounded: Bool) {
    self.backend = backend
    self.storage = storage
    self.isRounded = isRounded
  }

  /// Normal-like numbers in rows that lie `gap` elements apart from each other.
  func values(
    _ rows: Int, _ columns: Int, seed: UInt64, scale: Float = 1, gap: Int = 0,
    wide: Bool = false, positive: Bool = false
  ) throws -> TensorView {
    var random = SplitMix(seed)
    let numbers = (0..<rows * columns).map { _ in
      let sum = random.unit() + random.unit() + random.unit() + random.unit() - 2
      let value = sum * 1.7 * scale
      return positive ? max(0, value) : value
    }
    return try tensor(numbers, rows, columns, gap: gap, wide: wide)
  }

  /// A tensor of given numbers; `wide` ones are float32 in every storage type.
  func tensor(
    _ numbers: [Float], _ rows: Int, _ columns: Int, gap: Int = 0, wide: Bool = false
  ) throws -> TensorView {
    let view = try empty(rows, columns, gap: gap, wide: wide)
    let rounded = wide || !isRounded ? numbers : numbers.map { BFloat16($0).float }
    if view.elementType == .bfloat16 {
      try backend.write(rounded.map { BFloat16($0) }, to: view)
    } else {
      try backend.write(rounded, to: view)
    }
    return view
  }

  func integers(_ numbers: [Int32]) throws -> TensorView {
    let view = try take(1, numbers.count, gap: 0, .int32)
    try backend.write(numbers, to: view)
    return view
  }

  func columns(_ lists: [[Int]]) throws -> TensorView {
    let view = try take(lists.count, lists[0].count, gap: 0, .uint16)
    try backend.write(lists.flatMap { $0.map(UInt16.init) }, to: view)
    return view
  }

  /// Memory full of NaN: whatever an operation leaves unwritten shows.
  func empty(_ rows: Int, _ columns: Int, gap: Int = 0, wide: Bool = false) throws -> TensorView {
    try take(rows, columns, gap: gap, wide ? .float32 : storage)
  }

  func emptyBFloat16(_ rows: Int, _ columns: Int, gap: Int = 0) throws -> TensorView {
    try take(rows, columns, gap: gap, .bfloat16)
  }

  func emptyIntegers(_ count: Int) throws -> TensorView { try take(1, count, gap: 0, .int32) }

  func emptyColumns(_ rows: Int, _ columns: Int) throws -> TensorView {
    try take(rows, columns, gap: 0, .uint16)
  }

  private func take(
    _ rows: Int, _ columns: Int, gap: Int, _ type: ElementType
  ) throws -> TensorView {
    let whole = try Arena(
      byteCount: Arena.bytes(rows: max(rows, 1), columns: columns + gap, type), on: backend,
      purpose: "a test")
    arenas.append(whole)
    let view = whole.take(rows: rows, columns: columns + gap, type)
    let poison = [UInt8](repeating: 0xFF, count: view.byteCount)
    try poison.withUnsafeBytes { try backend.copy(from: $0, to: view) }
    return view.columns(0..<columns)
  }

  func read(_ view: TensorView) throws -> [Float] {
    switch view.elementType {
    case .float32: try backend.read(view)
    case .bfloat16: try backend.read(view, as: BFloat16.self).map(\.float)
    case .int32: try backend.read(view, as: Int32.self).map(Float.init)
    case .uint16: try backend.read(view, as: UInt16.self).map(Float.init)
    }
  }
}

/// Steele, Lea and Flood's SplitMix64: a few lines that give the same numbers everywhere.
struct SplitMix {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Between 0 and 1.
  mutating func unit() -> Float { Float(next() >> 40) / Float(1 << 24) }

  /// Below a limit.
  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}
