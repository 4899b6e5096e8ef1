/// A machine that can hold tensors and run every operation.
///
/// One thread owns a backend: calls come from it, in order, and results are visible to the host
/// after `synchronize` or a copy to the host. Operations check their shapes first; a mismatch is a
/// programmer's error and traps. What the machine itself refuses is thrown.
public protocol Backend: AnyObject {
  /// What it runs on, for people: for example `CPU, 2 threads, OpenBLAS 0.3.21 (Zen)`.
  var summary: String { get }
  /// Whether an operation is complete when `run` returns: then a clock on the host can time it.
  var runsImmediately: Bool { get }
  /// The type of activations and of the weights that products use: float32 or bfloat16.
  /// Parameters, moments and statistics are float32 everywhere, and so are gradients of weights
  /// that are added to; those that one product writes may have the storage type.
  var storage: ElementType { get }
  /// Threads that work on the host may take, beside what the machine computes: `device.threads`.
  var hostThreads: Int { get }

  /// How many blocks a chain of `AlignColumns` should hold before the products of such a pattern
  /// with matrices of `width` columns; nil where ascending lists are the better ones.
  func alignment(of pattern: PackedPattern, width: Int) -> Int?

  // MARK: Memory

  /// Reserves memory, aligned to at least `Arena.alignment`; its contents are undefined.
  func allocate(byteCount: Int, purpose: String) throws(ComputeError) -> UInt64
  /// Gives memory back.
  func release(_ address: UInt64, byteCount: Int)
  /// Copies host bytes, laid out densely row by row, into a view.
  func copy(from host: UnsafeRawBufferPointer, to view: TensorView) throws(ComputeError)
  /// Copies a view into host bytes, densely row by row; complete when it returns.
  func copy(from view: TensorView, to host: UnsafeMutableRawBufferPointer) throws(ComputeError)
  /// Starts to copy a float32 view to the host, as it is after everything asked for so far; what is
  /// asked for later need not wait for it.
  func startReading(_ view: TensorView) throws(ComputeError) -> any PendingRead
  /// Copies between two views of the same shape and element type.
  func copy(from source: TensorView, to destination: TensorView) throws(ComputeError)
  /// Sets every byte of every element to zero.
  func zero(_ view: TensorView) throws(ComputeError)
  /// Waits until everything asked for so far is done.
  func synchronize() throws(ComputeError)

  // MARK: Operations of a dense model

  /// Runs the operation.
  func run(_ operation: MatrixMultiply) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: Embedding.Forward) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: Embedding.Backward) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: RMSNorm.Forward) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: RMSNorm.Backward) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: RotaryEmbedding) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: RotaryProduct) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: Attention.Forward) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: Attention.Backward) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: SquaredReLU.Forward) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: SquaredReLU.Backward) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: CrossEntropy) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: SumOfSquares) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: AdamW) throws(ComputeError)

  // MARK: Operations of the sparse feed-forward network

  /// Runs the operation.
  func run(_ operation: RouteTokens) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: MoveCentroids) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: PlaceClusters) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: SampleTokens) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: GatherRows) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: BlockSums) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: BlockEnergies) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: SelectColumns) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: RememberSums) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: AlignColumns) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: PackColumns) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: UnpackColumns) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: MaskFours) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: KeptProduct) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: PackedProduct) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: PackedWeightGradient) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: TransposedVenomMask) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: SoftThreshold) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: SoftThresholdMoments) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: ActivationStatistics) throws(ComputeError)
  /// Runs the operation.
  func run(_ operation: ConvertElements) throws(ComputeError)
}

extension Backend {
  /// Copies floats into a view, rounded to nearest when it holds bfloat16.
  public func write(floats values: [Float], to view: TensorView) throws(ComputeError) {
    if view.elementType == .bfloat16 {
      try write(values.map { BFloat16($0) }, to: view)
    } else {
      try write(values, to: view)
    }
  }

  /// Copies a view of float32 or bfloat16 into a new array of floats.
  public func floats(of view: TensorView) throws(ComputeError) -> [Float] {
    guard view.elementType == .bfloat16 else { return try read(view) }
    return try read(view, as: BFloat16.self).map(\.float)
  }

  /// Copies an array of plain values into a view; counts must match.
  public func write<Element: BitwiseCopyable>(
    _ values: [Element], to view: TensorView
  ) throws(ComputeError) {
    precondition(values.count == view.count, "\(values.count) values into \(view)")
    precondition(
      MemoryLayout<Element>.stride == view.elementType.byteCount,
      "\(Element.self) into \(view)")
    try values.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      try copy(from: UnsafeRawBufferPointer(buffer), to: view)
    }
  }

  /// Copies a view into a new array.
  public func read<Element: BitwiseCopyable>(
    _ view: TensorView, as type: Element.Type = Float.self
  ) throws(ComputeError) -> [Element] {
    precondition(
      MemoryLayout<Element>.stride == view.elementType.byteCount, "\(view) as \(Element.self)")
    var failure: ComputeError?
    let values = [Element](unsafeUninitializedCapacity: view.count) { buffer, count in
      do throws(ComputeError) {
        try copy(from: view, to: UnsafeMutableRawBufferPointer(buffer))
        count = view.count
      } catch {
        failure = error
        count = 0
      }
    }
    if let failure { throw failure }
    return values
  }
}
