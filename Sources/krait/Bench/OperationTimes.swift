import Compute

/// A backend that hands everything on to another one and notes how long each operation takes there.
///
/// For the parts of a whole: on a device the marks between operations are its own, so the sum of
/// the parts is what the whole takes, gaps between operations included.
final class OperationTimes: Backend {
  /// An operation, in the order of running, and its seconds in every pass.
  struct Part {
    let name: String
    var seconds: [Double]
  }

  private let backend: any Backend
  private let clock: QueueClock
  private var names: [String] = []
  private var isOn = false

  init(_ backend: any Backend) {
    self.backend = backend
    clock = QueueClock(backend)
  }

  /// The parts of a piece of work, from so many passes that must run the same operations.
  func parts(passes: Int, of body: () throws -> Void) throws -> [Part] {
    var parts: [Part] = []
    try body()
    isOn = true
    defer { isOn = false }
    for pass in 0..<passes {
      names = []
      try clock.mark()
      try body()
      let seconds = try clock.intervals()
      if pass == 0 { parts = names.map { Part(name: $0, seconds: []) } }
      for (index, value) in seconds.enumerated() where index < parts.count {
        parts[index].seconds.append(value)
      }
    }
    return parts
  }

  private func timed<Work>(
    _ operation: Work, by run: (Work) throws(ComputeError) -> Void
  ) throws(ComputeError) {
    try run(operation)
    try note(OperationTimes.name(of: operation))
  }

  private func note(_ name: String) throws(ComputeError) {
    guard isOn else { return }
    do {
      try clock.mark()
    } catch let error as ComputeError {
      throw error
    } catch {
      preconditionFailure("only a backend throws here: \(error)")
    }
    names.append(name)
  }

  /// The operation's name; a product's with its sizes, which tell its six uses apart.
  private static func name<Work>(of operation: Work) -> String {
    switch operation {
    case let product as MatrixMultiply:
      "MatrixMultiply \(product.output.rows) x \(product.output.columns) x \(product.depth)"
    case let product as KeptProduct:
      product.epilogue == .squaredReLU ? "KeptProduct (1)" : "KeptProduct (3)"
    default: String(reflecting: Work.self).split(separator: ".").dropFirst().joined(separator: ".")
    }
  }

  // MARK: Everything else goes through

  var summary: String { backend.summary }
  var runsImmediately: Bool { backend.runsImmediately }
  var storage: ElementType { backend.storage }
  var hostThreads: Int { backend.hostThreads }
  func alignment(of pattern: PackedPattern, width: Int) -> Int? {
    backend.alignment(of: pattern, width: width)
  }

  func allocate(byteCount: Int, purpose: String) throws(ComputeError) -> UInt64 {
    try backend.allocate(byteCount: byteCount, purpose: purpose)
  }
  func release(_ address: UInt64, byteCount: Int) {
    backend.release(address, byteCount: byteCount)
  }
  func copy(from host: UnsafeRawBufferPointer, to view: TensorView) throws(ComputeError) {
    try backend.copy(from: host, to: view)
  }
  func copy(from view: TensorView, to host: UnsafeMutableRawBufferPointer) throws(ComputeError) {
    try backend.copy(from: view, to: host)
  }
  func copy(from source: TensorView, to destination: TensorView) throws(ComputeError) {
    try backend.copy(from: source, to: destination)
    try note("copy")
  }
  func zero(_ view: TensorView) throws(ComputeError) {
    try backend.zero(view)
    try note("zero")
  }
  func synchronize() throws(ComputeError) { try backend.synchronize() }

  func run(_ operation: MatrixMultiply) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: Embedding.Forward) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: Embedding.Backward) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: RMSNorm.Forward) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: RMSNorm.Backward) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: RotaryEmbedding) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: RotaryProduct) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: Attention.Forward) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: Attention.Backward) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: SquaredReLU.Forward) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: SquaredReLU.Backward) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: CrossEntropy) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: SumOfSquares) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: AdamW) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: RouteTokens) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: MoveCentroids) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: PlaceClusters) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: SampleTokens) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: GatherRows) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: BlockSums) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: BlockEnergies) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: SelectColumns) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: RememberSums) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: AlignColumns) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: PackColumns) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: UnpackColumns) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: MaskFours) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: KeptProduct) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: PackedProduct) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: PackedWeightGradient) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: TransposedVenomMask) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: SoftThreshold) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: SoftThresholdMoments) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: ActivationStatistics) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
  func run(_ operation: ConvertElements) throws(ComputeError) {
    try timed(operation, by: backend.run)
  }
}
