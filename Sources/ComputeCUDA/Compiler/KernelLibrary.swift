import CUDAInterface
import Compute
import Foundation
import Synchronization

/// The functions of all kernels on one GPU: from the cache, or compiled and cached.
final class KernelLibrary {
  private let device: CUDADevice
  private let sources: KernelSource
  private let compiler: KernelCompiler
  private let cache: KernelCache
  private let target: String
  private let threads: Int
  private var modules: [KernelUnit: krait_cu_module] = [:]
  private var functions: [Function: krait_cu_function] = [:]
  private var startEarly: [String: Bool] = [:]

  private struct Function: Hashable {
    let unit: KernelUnit
    let name: String
  }

  /// What was compiled because it was not in the cache; for the summary of a first start.
  private(set) var compiledUnits = 0

  /// - Parameter threads: of the host that may compile.
  init(_ libraries: CUDALibraries, device: CUDADevice, threads: Int) throws(ComputeError) {
    self.device = device
    self.threads = threads
    sources = KernelSource()
    compiler = try KernelCompiler(libraries)
    cache = KernelCache()
    target = try compiler.target(capability: device.capability)
  }

  deinit {
    for module in modules.values { _ = device.driver.pointee.module_unload(module) }
  }

  /// Loads the kernels of all plain operations and those that only a GPU like this one has, in bfloat16: else a
  /// run's first sparse step would wait for one after the other. What the cache lacks is compiled side by side.
  func prepare(bfloat16: Bool) throws(ComputeError) {
    let types = bfloat16 ? [false, true] : [false]
    let plain = sources.operationFiles.filter { $0 != "Attention.cu" }.flatMap { file in
      types.map { KernelUnit(file, isBFloat16: $0) }
    }
    // Those that take longest come first.
    let units = (bfloat16 && device.capability == 90 ? sources.hopperUnits : []) + plain
    for (unit, code) in zip(units, try code(of: units)) { try load(unit, code) }
  }

  /// A kernel, compiled when it is first asked for.
  func function(_ unit: KernelUnit, _ name: String) throws(ComputeError) -> krait_cu_function {
    let key = Function(unit: unit, name: name)
    if let function = functions[key] { return function }
    if modules[unit] == nil { try load(unit, try code(of: [unit])[0]) }
    guard let module = modules[unit] else { preconditionFailure("\(unit) was just loaded") }
    var function: krait_cu_function?
    try device.check(
      device.driver.pointee.module_function(&function, module, name), "cuModuleGetFunction",
      "looking for the kernel \(name) in \(unit.file)")
    guard let function else { preconditionFailure("the driver gave no function for \(name)") }
    functions[key] = function
    return function
  }

  /// Whether the kernels of a file wait themselves for the one in front: see `KernelLaunches`.
  func mayStartEarly(_ file: String) -> Bool {
    if let known = startEarly[file] { return known }
    let answer = sources.mayStartEarly(file)
    startEarly[file] = answer
    return answer
  }

  /// Lets a kernel use more shared memory than the 48 KiB that every one may.
  func allowShared(_ function: krait_cu_function, bytes: Int) throws(ComputeError) {
    try device.check(
      device.driver.pointee.function_set(
        function, Int32(KRAIT_CU_FUNCTION_DYNAMIC_SHARED), Int32(bytes)),
      "cuFuncSetAttribute", "asking for \(bytes) bytes of shared memory")
  }

  /// Clusters of so many blocks that can run at the same time; `function` may use `sharedBytes`.
  func activeClusters(
    _ function: krait_cu_function, size: Int, threads: Int, sharedBytes: Int
  ) throws(ComputeError) -> Int {
    var attribute = krait_cu_launch_attribute()
    attribute.kind = UInt32(KRAIT_CU_LAUNCH_CLUSTER)
    (attribute.values.0, attribute.values.1, attribute.values.2) = (UInt32(size), 1, 1)
    var launch = krait_cu_launch()
    launch.grid = (UInt32(size * device.multiprocessors), 1, 1)
    launch.block = (UInt32(threads), 1, 1)
    launch.shared_bytes = UInt32(sharedBytes)
    launch.attribute_count = 1
    var count: Int32 = 0
    let code = withUnsafePointer(to: &attribute) {
      launch.attributes = $0
      return device.driver.pointee.active_clusters(&count, function, &launch)
    }
    try device.check(
      code, "cuOccupancyMaxActiveClusters", "counting clusters of \(size) blocks")
    return Int(count)
  }

  private func load(_ unit: KernelUnit, _ code: [UInt8]) throws(ComputeError) {
    try device.enter()
    var module: krait_cu_module?
    try device.check(
      device.driver.pointee.module_load(&module, code), "cuModuleLoadData",
      "loading the kernels of \(unit.file) for \(target)")
    modules[unit] = module
  }

  // MARK: Compiling

  private func key(_ unit: KernelUnit) -> String {
    KernelCache.key(
      of: unit, sources: sources, options: compiler.options(unit, target: target),
      compilerVersion: compiler.version, driverVersion: device.driverVersion)
  }

  private func code(of units: [KernelUnit]) throws(ComputeError) -> [[UInt8]] {
    let keys = units.map(key)
    var found = keys.map(cache.read)
    let missing = found.indices.filter { found[$0] == nil }
    guard !missing.isEmpty else { return found.compactMap { $0 } }
    compiledUnits += missing.count
    let results = compile(missing.map { units[$0] })
    for (index, result) in zip(missing, results) {
      let code = try result.get()
      found[index] = code
      cache.write(code, key: keys[index])
    }
    return found.compactMap { $0 }
  }

  /// Compiles units side by side, one for each thread.
  private func compile(_ units: [KernelUnit]) -> [Result<[UInt8], ComputeError>] {
    let compiler = compiler
    let sources = sources
    let target = target
    let done = Mutex((count: 0, results: [Int: Result<[UInt8], ComputeError>]()))
    KernelLibrary.progress(0, units.count, target)
    ParallelRows(threads: threads).forEachChunk(units.count) { _, index in
      let result = Result { () throws(ComputeError) in
        try compiler.compile(units[index], of: sources, target: target).bytes
      }
      done.withLock {
        $0.results[index] = result
        $0.count += 1
        KernelLibrary.progress($0.count, units.count, target)
      }
    }
    return done.withLock { state in
      units.indices.compactMap { state.results[$0] }
    }
  }

  /// One line that counts up, on a terminal; its first and last state elsewhere.
  private static func progress(_ count: Int, _ total: Int, _ target: String) {
    guard total > 1 else { return }
    let isTerminal = isatty(STDERR_FILENO) == 1
    guard isTerminal || count == total else { return }
    let line = "Compiling GPU kernels for \(target) (kept for the next start): \(count) of \(total)"
    let text = (isTerminal ? "\r" : "") + line + (isTerminal && count < total ? "" : "\n")
    FileHandle.standardError.write(Data(text.utf8))
  }
}
