public import Compute

/// The tensors of a case in memory of a backend, with guards around each and between rows.
public final class CaseMemory {
  /// The arguments, for the run.
  public let views: CaseViews
  /// The numbers as stored, in double precision; outputs are zero.
  public let numbers: CaseNumbers
  private let test: OperationCase
  private let backend: any Backend
  private let arena: Arena
  private var guarded: [String: (whole: TensorView, before: [UInt8])] = [:]
  private let storage: ElementType

  /// Bytes before and after every tensor that nobody may touch; a whole alignment unit, so that
  /// tensors stay aligned.
  private static let guardBytes = Arena.alignment

  /// Allocates, poisons and writes.
  ///
  /// - Parameter storage: the type that float tensors are stored in, unless they say otherwise.
  public init(
    _ test: OperationCase, on backend: any Backend, storage: ElementType = .float32
  ) throws(ComputeError) {
    self.test = test
    self.backend = backend
    self.storage = storage
    let visible = test.tensors.filter { $0.role != .hidden }
    func wholeColumns(_ tensor: CaseTensor) -> Int {
      let type = tensor.elementType(storage: storage)
      return 2 * CaseMemory.guardBytes / type.byteCount + tensor.rows * tensor.stride
    }
    let bytes = visible.reduce(0) {
      $0
        + Arena.bytes(
          rows: 1, columns: wholeColumns($1), $1.elementType(storage: storage))
    }
    arena = try Arena(byteCount: bytes, on: backend, purpose: "case \(test.operation)")
    var views = CaseViews()
    var numbers = CaseNumbers()
    for tensor in test.tensors {
      var matrix = CaseMatrix(rows: tensor.rows, columns: tensor.columns)
      let type = tensor.elementType(storage: storage)
      let (stored, values) = CaseMemory.encode(tensor, after: numbers, as: type)
      if !values.isEmpty { matrix.values = values }
      numbers[tensor.name] = matrix
      guard tensor.role != .hidden else { continue }
      let whole = arena.take(rows: 1, columns: wholeColumns(tensor), type)
      let start = CaseMemory.guardBytes / type.byteCount + tensor.lead
      var image = CaseMemory.poison(whole.count, type)
      if !stored.isEmpty {
        let rowBytes = tensor.columns * type.byteCount
        for row in 0..<tensor.rows {
          let target = (start + row * tensor.stride) * type.byteCount
          image.replaceSubrange(
            target..<target + rowBytes, with: stored[row * rowBytes..<(row + 1) * rowBytes])
        }
      }
      try CaseMemory.upload(image, to: whole, backend)
      views.views[tensor.name] = TensorView(
        address: whole.address + UInt64(start * type.byteCount), rows: tensor.rows,
        columns: tensor.columns, stride: tensor.stride, elementType: type)
      guarded[tensor.name] = (whole, image)
    }
    self.views = views
    self.numbers = numbers
  }

  /// The numbers of every argument after a run.
  public func read() throws(ComputeError) -> CaseNumbers {
    var result = numbers
    for tensor in test.tensors where tensor.role != .hidden {
      let view = views[tensor.name]
      var bytes = [UInt8](repeating: 0, count: view.count * view.elementType.byteCount)
      try CaseMemory.download(view, into: &bytes, backend)
      result[tensor.name].values = CaseMemory.decode(bytes, view.elementType)
    }
    return result
  }

  /// Puts everything back as it was before the run.
  public func restore() throws(ComputeError) {
    for (whole, before) in guarded.values { try CaseMemory.upload(before, to: whole, backend) }
  }

  /// The bytes of every argument, guards included: to compare two runs bit for bit.
  public func images() throws(ComputeError) -> [[UInt8]] {
    var images: [[UInt8]] = []
    for tensor in test.tensors {
      guard let (whole, before) = guarded[tensor.name] else { continue }
      var after = [UInt8](repeating: 0, count: before.count)
      try CaseMemory.download(whole, into: &after, backend)
      images.append(after)
    }
    return images
  }

  /// A sentence about the first tensor that was changed where it must not be; nil when none was.
  public func damage() throws(ComputeError) -> String? {
    for tensor in test.tensors where tensor.role != .hidden {
      guard let (whole, before) = guarded[tensor.name] else { continue }
      var after = [UInt8](repeating: 0, count: before.count)
      try CaseMemory.download(whole, into: &after, backend)
      guard after != before else { continue }
      let size = whole.elementType.byteCount
      let start = CaseMemory.guardBytes / size + tensor.lead
      for index in 0..<whole.count {
        let element = index * size..<(index + 1) * size
        guard before[element] != after[element] else { continue }
        let (row, column) = (index - start).quotientAndRemainder(
          dividingBy: max(tensor.stride, 1))
        let isInside =
          index >= start && row < tensor.rows && column < tensor.columns && tensor.rows > 0
        if !isInside { return "'\(tensor.name)': element \(index - start) outside was written" }
        if tensor.role == .input { return "input '\(tensor.name)'[\(row), \(column)] was changed" }
      }
    }
    return nil
  }

  // MARK: Bytes

  private static func upload(
    _ bytes: [UInt8], to view: TensorView, _ backend: any Backend
  ) throws(ComputeError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      try backend.copy(from: UnsafeRawBufferPointer(buffer), to: view)
    }
  }

  private static func download(
    _ view: TensorView, into bytes: inout [UInt8], _ backend: any Backend
  ) throws(ComputeError) {
    guard !bytes.isEmpty else { return }
    try bytes.withUnsafeMutableBufferPointer { (buffer) throws(ComputeError) in
      try backend.copy(from: view, to: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// A NaN with a payload for floats, nonsense for integers.
  private static func poison(_ count: Int, _ type: ElementType) -> [UInt8] {
    let element: [UInt8] =
      switch type {
      case .float32: [0xEF, 0xBE, 0xC0, 0x7F]
      case .bfloat16: [0xC5, 0x7F]
      case .int32: [0x5A, 0x5A, 0x5A, 0x5A]
      case .uint16: [0x5A, 0xFA]
      }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * element.count)
    for _ in 0..<count { bytes += element }
    return bytes
  }

  /// The stored bytes of a tensor and the numbers they stand for.
  private static func encode(
    _ tensor: CaseTensor, after numbers: CaseNumbers, as type: ElementType
  ) -> ([UInt8], [Double]) {
    func bytes<Element: BitwiseCopyable>(_ values: [Element]) -> [UInt8] {
      precondition(
        values.count == tensor.rows * tensor.columns,
        "'\(tensor.name)': \(values.count) values for \(tensor.rows) x \(tensor.columns)")
      return values.withUnsafeBytes { Array($0) }
    }
    func floats(_ values: [Float]) -> ([UInt8], [Double]) {
      guard type == .bfloat16 else { return (bytes(values), values.map(Double.init)) }
      let rounded = values.map { BFloat16($0) }
      return (bytes(rounded.map(\.bitPattern)), rounded.map { Double($0.float) })
    }
    switch tensor.values {
    case nil: return ([], [])
    case .floats(let make): return floats(make(.max))
    case .derived(let make): return floats(make(numbers))
    case .int32(let make):
      let values = make()
      return (bytes(values), values.map(Double.init))
    case .uint16(let make):
      let values = make()
      return (bytes(values), values.map(Double.init))
    }
  }

  private static func decode(_ bytes: [UInt8], _ type: ElementType) -> [Double] {
    bytes.withUnsafeBytes { buffer in
      let count = buffer.count / type.byteCount
      return (0..<count).map { index -> Double in
        let offset = index * type.byteCount
        switch type {
        case .float32: return Double(buffer.loadUnaligned(fromByteOffset: offset, as: Float.self))
        case .int32: return Double(buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self))
        case .uint16: return Double(buffer.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
        case .bfloat16:
          let bits = buffer.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
          return Double(BFloat16(bitPattern: bits).float)
        }
      }
    }
  }
}
