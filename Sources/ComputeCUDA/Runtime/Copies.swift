public import Compute
import CUDAInterface

/// Copies between the host and the GPU, and on it.
extension CUDABackend {
  /// Copies dense host bytes into a view, after what was asked for before.
  public func copy(from host: UnsafeRawBufferPointer, to view: TensorView) throws(ComputeError) {
    let rowBytes = view.columns * view.elementType.byteCount
    precondition(host.count == view.rows * rowBytes, "\(host.count) bytes into \(view)")
    guard let source = host.baseAddress, host.count > 0 else { return }
    var copy = copyDescription(rows: view.rows, rowBytes: rowBytes)
    copy.source_type = UInt32(KRAIT_CU_MEMORY_HOST)
    let staged = try pinned.stage(host)
    copy.source_host = staged.map { UnsafeRawPointer($0.address) } ?? source
    copy.source_pitch = rowBytes
    copy.destination_device = view.address
    copy.destination_pitch = view.stride * view.elementType.byteCount
    try run(copy, isDense: view.isContiguous, "copying \(view) to the GPU")
    try staged?.mark()
  }

  /// Starts to copy a view to the host, through memory that the GPU writes to.
  public func startReading(_ view: TensorView) throws(ComputeError) -> any PendingRead {
    precondition(view.elementType == .float32, "\(view) as floats")
    guard view.isContiguous, view.count > 0, let slot = try pinned.landing(count: view.count)
    else { return FinishedRead(try read(view)) }
    var copy = copyDescription(rows: view.rows, rowBytes: view.columns * 4)
    copy.source_device = view.address
    copy.destination_type = UInt32(KRAIT_CU_MEMORY_HOST)
    copy.destination_host = slot.address
    try run(copy, isDense: true, "copying \(view) from the GPU")
    try slot.mark()
    return pinned.read(slot, count: view.count)
  }

  /// Copies a view into dense host bytes; complete when it returns.
  public func copy(
    from view: TensorView, to host: UnsafeMutableRawBufferPointer
  ) throws(ComputeError) {
    let rowBytes = view.columns * view.elementType.byteCount
    precondition(host.count == view.rows * rowBytes, "\(view) into \(host.count) bytes")
    guard let destination = host.baseAddress, host.count > 0 else { return }
    var copy = copyDescription(rows: view.rows, rowBytes: rowBytes)
    copy.source_device = view.address
    copy.source_pitch = view.stride * view.elementType.byteCount
    copy.destination_type = UInt32(KRAIT_CU_MEMORY_HOST)
    copy.destination_host = destination
    copy.destination_pitch = rowBytes
    try run(copy, isDense: view.isContiguous, "copying \(view) from the GPU")
    try device.synchronize("copying \(view) from the GPU")
  }

  /// Copies between two views of the same shape.
  public func copy(
    from source: TensorView, to destination: TensorView
  ) throws(ComputeError) {
    precondition(
      source.rows == destination.rows && source.columns == destination.columns
        && source.elementType == destination.elementType, "\(source) into \(destination)")
    guard source.count > 0 else { return }
    let width = source.elementType.byteCount
    var copy = copyDescription(rows: source.rows, rowBytes: source.columns * width)
    copy.source_device = source.address
    copy.source_pitch = source.stride * width
    copy.destination_device = destination.address
    copy.destination_pitch = destination.stride * width
    try run(
      copy, isDense: source.isContiguous && destination.isContiguous, "copying \(source)")
  }

  private func copyDescription(rows: Int, rowBytes: Int) -> krait_cu_copy_2d {
    var copy = krait_cu_copy_2d()
    copy.source_type = UInt32(KRAIT_CU_MEMORY_DEVICE)
    copy.destination_type = UInt32(KRAIT_CU_MEMORY_DEVICE)
    copy.width_bytes = rowBytes
    copy.height = rows
    return copy
  }

  /// Rows may be longer than a 2D copy's pitch may be, so dense copies go as one stretch.
  private func run(
    _ copy: krait_cu_copy_2d, isDense: Bool, _ doing: @autoclosure () -> String
  ) throws(ComputeError) {
    try device.enter()
    let bytes = Double(copy.width_bytes * copy.height)
    let isOnDevice = copy.source_host == nil && copy.destination_host == nil
    let label = isOnDevice ? "copy" : copy.source_host == nil ? "copy to host" : "copy to GPU"
    try record.bracket(label, work: (0, isOnDevice ? 2 * bytes : bytes)) {
      () throws(ComputeError) in
      try enqueue(copy, isDense: isDense, doing())
    }
  }

  private func enqueue(
    _ copy: krait_cu_copy_2d, isDense: Bool, _ doing: @autoclosure () -> String
  ) throws(ComputeError) {
    var copy = copy
    let driver = device.driver.pointee
    guard isDense else {
      return try device.check(driver.copy_2d(&copy, device.stream), "cuMemcpy2DAsync", doing())
    }
    let bytes = copy.width_bytes * copy.height
    if let host = copy.source_host {
      try device.check(
        driver.copy_to_device(copy.destination_device, host, bytes, device.stream),
        "cuMemcpyHtoDAsync", doing())
    } else if let host = copy.destination_host {
      try device.check(
        driver.copy_to_host(host, copy.source_device, bytes, device.stream),
        "cuMemcpyDtoHAsync", doing())
    } else {
      try device.check(
        driver.copy_on_device(copy.destination_device, copy.source_device, bytes, device.stream),
        "cuMemcpyDtoDAsync", doing())
    }
  }
}
