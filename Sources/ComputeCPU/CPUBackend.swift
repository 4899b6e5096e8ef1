public import Compute
import CPUKernels
import Glibc

/// Runs every operation on the host's cores, in float32: the definition that GPU kernels are
/// checked against.
///
/// Addresses are host pointers. All results have the same bits for any number of threads, as long
/// as the matrix library gives the same bits for the same call.
public final class CPUBackend: MemoryMeter {
  /// The lanes that row-parallel loops run on.
  public let rows: ParallelRows
  /// What dense products are computed with.
  public let library: MatrixLibrary
  /// Bytes that are allocated now; the lanes' own scratch memory is not counted.
  public private(set) var allocatedBytes = 0
  /// The most that `allocatedBytes` has been since the last `resetPeak`.
  public private(set) var peakBytes = 0
  /// Scratch memory for each lane; contents are undefined between chunks.
  let scratch: LaneScratch

  /// A backend with a number of threads (all cores by default) and a matrix library
  /// (the best one found by default).
  public init(threads: Int? = nil, library: MatrixLibrary? = nil) {
    let lanes = threads ?? CPUBackend.availableCores
    rows = ParallelRows(threads: lanes)
    self.library = library ?? MatrixLibrary.discover()
    scratch = LaneScratch(lanes: lanes)
  }

  /// Cores this process may run on.
  public static var availableCores: Int { Int(krait_available_cores()) }

  /// Operations are complete when they return.
  public var runsImmediately: Bool { true }

  /// float32 throughout.
  public var storage: ElementType { .float32 }

  /// The lanes.
  public var hostThreads: Int { rows.threads }

  /// Lists ascend: neighbouring rows are read one after the other.
  public func alignment(of pattern: PackedPattern, width: Int) -> Int? { nil }

  /// What it runs on, for people.
  public var summary: String {
    "CPU, \(rows.threads) thread\(rows.threads == 1 ? "" : "s"), \(library.name)"
  }

  /// Reserves aligned host memory.
  public func allocate(byteCount: Int, purpose: String) throws(ComputeError) -> UInt64 {
    var pointer: UnsafeMutableRawPointer?
    let status = posix_memalign(
      &pointer, max(Arena.alignment, HugePages.alignment(for: byteCount)),
      max(byteCount, Arena.alignment))
    guard status == 0, let pointer else {
      throw ComputeError(
        .outOfMemory, call: "posix_memalign",
        context: "\(byteCount >> 20) MiB for \(purpose); "
          + "lower data.microBatch or the model size, or free memory")
    }
    HugePages.advise(pointer, byteCount: byteCount)
    allocatedBytes += byteCount
    peakBytes = max(peakBytes, allocatedBytes)
    return UInt64(UInt(bitPattern: pointer))
  }

  /// Starts counting the peak from what is allocated now.
  public func resetPeak() { peakBytes = allocatedBytes }

  /// Host memory is not a device's.
  public func deviceMemory() throws(ComputeError) -> DeviceMemoryUse? { nil }

  /// Lanes work in scratch memory of a fixed size.
  public func workBytes(_ operation: Attention.Backward) throws(ComputeError) -> Int { 0 }

  /// See above.
  public func workBytes(_ operation: KeptProduct) throws(ComputeError) -> Int { 0 }

  /// Lanes' scratch memory is not counted.
  public func workBytes(_ operation: BlockEnergies) throws(ComputeError) -> Int { 0 }

  /// See above.
  public func workBytes(_ operation: PackedWeightGradient) throws(ComputeError) -> Int { 0 }

  /// Gives memory back.
  public func release(_ address: UInt64, byteCount: Int) {
    allocatedBytes -= byteCount
    free(UnsafeMutableRawPointer(bitPattern: UInt(address)))
  }

  /// Copies dense host bytes into a view.
  public func copy(from host: UnsafeRawBufferPointer, to view: TensorView) throws(ComputeError) {
    let rowBytes = view.columns * view.elementType.byteCount
    precondition(host.count == view.rows * rowBytes, "\(host.count) bytes into \(view)")
    guard let source = host.baseAddress else { return }
    for row in 0..<view.rows {
      memcpy(view.raw + row * view.rowBytes, source + row * rowBytes, rowBytes)
    }
  }

  /// Copies a view into dense host bytes.
  public func copy(
    from view: TensorView, to host: UnsafeMutableRawBufferPointer
  ) throws(ComputeError) {
    let rowBytes = view.columns * view.elementType.byteCount
    precondition(host.count == view.rows * rowBytes, "\(view) into \(host.count) bytes")
    guard let destination = host.baseAddress else { return }
    for row in 0..<view.rows {
      memcpy(destination + row * rowBytes, view.raw + row * view.rowBytes, rowBytes)
    }
  }

  /// Copies between two views of the same shape.
  public func copy(
    from source: TensorView, to destination: TensorView
  ) throws(ComputeError) {
    precondition(
      source.rows == destination.rows && source.columns == destination.columns
        && source.elementType == destination.elementType, "\(source) into \(destination)")
    let rowBytes = source.columns * source.elementType.byteCount
    rows.forEachRange(of: source.rows, rowsPerChunk: max(1, (1 << 18) / max(rowBytes, 1))) {
      _, range in
      for row in range {
        memcpy(
          destination.raw + row * destination.rowBytes, source.raw + row * source.rowBytes,
          rowBytes)
      }
    }
  }

  /// Sets every element to zero.
  public func zero(_ view: TensorView) throws(ComputeError) {
    let rowBytes = view.columns * view.elementType.byteCount
    rows.forEachRange(of: view.rows, rowsPerChunk: max(1, (1 << 18) / max(rowBytes, 1))) {
      _, range in
      for row in range { memset(view.raw + row * view.rowBytes, 0, rowBytes) }
    }
  }

  /// Nothing is ever pending on the CPU.
  public func synchronize() throws(ComputeError) {}
}
