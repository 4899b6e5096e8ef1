import CUDAInterface
import Compute

/// One GPU: its context, its one stream, and calls that turn error codes into sentences.
final class CUDADevice {
  /// The driver's functions.
  let driver: UnsafePointer<krait_driver>
  /// For example `NVIDIA H100 80GB HBM3`.
  let name: String
  /// Compute capability, for example 90.
  let capability: Int
  /// Multiprocessors.
  let multiprocessors: Int
  /// Bytes of shared memory a block may ask for.
  let sharedBytesPerBlock: Int
  /// Bytes of memory in all.
  let memoryBytes: Int
  /// The newest CUDA the driver supports, for example 13000.
  let driverVersion: Int
  /// Everything runs here, in order.
  let stream: krait_cu_stream
  private let ordinal: Int32
  private let context: krait_cu_context

  /// Opens the first visible GPU (`CUDA_VISIBLE_DEVICES` chooses).
  init(_ libraries: CUDALibraries) throws(ComputeError) {
    let driver = try libraries.requireDriver()
    self.driver = driver
    func call(_ name: String, _ code: Int32) throws(ComputeError) {
      if code != 0 { throw CUDADevice.failure(driver, code, name, "opening the GPU") }
    }
    try call("cuInit", driver.pointee.`init`(0))
    var count: Int32 = 0
    try call("cuDeviceGetCount", driver.pointee.device_count(&count))
    guard count > 0 else {
      throw ComputeError(
        .unavailable, call: "cuDeviceGetCount",
        context: "the driver sees no GPU; is CUDA_VISIBLE_DEVICES set to something else?")
    }
    var device: Int32 = 0
    try call("cuDeviceGet", driver.pointee.device_get(&device, 0))
    func attribute(_ which: Int) throws(ComputeError) -> Int {
      var value: Int32 = 0
      try call(
        "cuDeviceGetAttribute", driver.pointee.device_attribute(&value, Int32(which), device))
      return Int(value)
    }
    var text = [CChar](repeating: 0, count: 256)
    try call("cuDeviceGetName", driver.pointee.device_name(&text, 256, device))
    name = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
    capability =
      try attribute(Int(KRAIT_CU_ATTRIBUTE_MAJOR)) * 10
      + attribute(Int(KRAIT_CU_ATTRIBUTE_MINOR))
    multiprocessors = try attribute(Int(KRAIT_CU_ATTRIBUTE_MULTIPROCESSORS))
    sharedBytesPerBlock = try attribute(Int(KRAIT_CU_ATTRIBUTE_SHARED_PER_BLOCK))
    var bytes = 0
    try call("cuDeviceTotalMem", driver.pointee.device_memory(&bytes, device))
    memoryBytes = bytes
    var version: Int32 = 0
    try call("cuDriverGetVersion", driver.pointee.driver_version(&version))
    driverVersion = Int(version)
    guard capability >= 80 else {
      throw ComputeError(
        .unavailable, call: "cuDeviceGetAttribute",
        context: "\(name) has compute capability \(capability / 10).\(capability % 10); Krait "
          + "needs 8.0 (A100) or newer; use --backend cpu")
    }
    var retained: krait_cu_context?
    try call("cuDevicePrimaryCtxRetain", driver.pointee.context_retain(&retained, device))
    try call("cuCtxSetCurrent", driver.pointee.context_set(retained))
    var made: krait_cu_stream?
    try call(
      "cuStreamCreate",
      driver.pointee.stream_create(&made, UInt32(KRAIT_CU_STREAM_NON_BLOCKING)))
    guard let retained, let made else {
      throw ComputeError(.unavailable, call: "cuStreamCreate", context: "the driver gave no stream")
    }
    context = retained
    stream = made
    ordinal = device
  }

  deinit {
    _ = driver.pointee.context_set(context)
    _ = driver.pointee.stream_synchronize(stream)
    _ = driver.pointee.stream_destroy(stream)
    _ = driver.pointee.context_release(ordinal)
  }

  /// Makes the GPU's context the calling thread's own.
  func enter() throws(ComputeError) {
    try check(driver.pointee.context_set(context), "cuCtxSetCurrent", "choosing the GPU")
  }

  /// Waits for everything that was asked for.
  func synchronize(_ doing: @autoclosure () -> String) throws(ComputeError) {
    try check(driver.pointee.stream_synchronize(stream), "cuStreamSynchronize", doing())
  }

  /// Throws unless a driver call returned success.
  @inline(__always)
  func check(
    _ code: Int32, _ call: String, _ doing: @autoclosure () -> String
  ) throws(ComputeError) {
    if code != 0 { throw CUDADevice.failure(driver, code, call, doing()) }
  }

  private static func failure(
    _ driver: UnsafePointer<krait_driver>, _ code: Int32, _ call: String, _ doing: String
  ) -> ComputeError {
    var text: UnsafePointer<CChar>?
    _ = driver.pointee.error_name(code, &text)
    let name = text.map { String(cString: $0) } ?? "error"
    _ = driver.pointee.error_text(code, &text)
    let sentence = text.map { String(cString: $0) } ?? "an error this driver does not know"
    return ComputeError(
      .library(code), call: call,
      context: "\(name), \(sentence), while \(doing)\(advice(code))")
  }

  /// What to try, for the codes that a user can do something about.
  private static func advice(_ code: Int32) -> String {
    switch code {
    case 100: "; no GPU is visible: look at nvidia-smi and CUDA_VISIBLE_DEVICES"
    case 35, 803, 804: "; the driver is older than the libraries: update it"
    case 209: "; the code is for another GPU: delete the kernel cache (krait doctor shows where)"
    case 218:
      "; the kernel compiler is newer than the driver: update the driver, or install "
        + "nvidia-cuda-nvrtc of the driver's CUDA version"
    case 700, 702, 710, 714...719:
      "; a kernel failed: KRAIT_CUDA_SYNCHRONIZE=1 tells which"
    case 46, 214, 220, 999:
      "; the GPU does not answer as it should: look at nvidia-smi and the system's log (dmesg, Xid)"
    default: ""
    }
  }
}
