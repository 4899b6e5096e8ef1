import CUDAInterface
import Compute

/// How kernels are started: one after the other, or each while the one in front still runs.
///
/// On compute capability 9.0 and newer a kernel may be brought to the GPU early (programmatic dependent launch): it
/// waits there, in `begin_kernel`, until the one in front of it in the stream has ended and its results can be seen.
/// Kernels of libraries, copies and clears start and end as ever. `KRAIT_OVERLAP_LAUNCHES=0` turns it off, and so
/// does `KRAIT_CUDA_SYNCHRONIZE=1`, with which every launch is waited for.
struct KernelLaunches {
  /// Whether every launch is waited for.
  let areSynchronous: Bool
  /// Whether kernels that begin with `begin_kernel` may start early.
  let mayOverlap: Bool
  private let device: CUDADevice

  init(_ device: CUDADevice) {
    self.device = device
    areSynchronous = environmentFlag("KRAIT_CUDA_SYNCHRONIZE") ?? false
    mayOverlap =
      device.capability >= 90 && !areSynchronous
      && environmentFlag("KRAIT_OVERLAP_LAUNCHES") ?? true
  }

  /// Calls the driver; returns its code.
  func start(
    _ function: krait_cu_function, early: Bool, grid: CUDABackend.Grid, threads: Int,
    sharedBytes: Int, _ arguments: KernelArguments
  ) -> Int32 {
    arguments.withPointers { parameters in
      guard early else {
        return device.driver.pointee.launch(
          function, UInt32(grid.x), UInt32(grid.y), UInt32(grid.z), UInt32(threads), 1, 1,
          UInt32(sharedBytes), device.stream, parameters, nil)
      }
      var attribute = krait_cu_launch_attribute()
      attribute.kind = UInt32(KRAIT_CU_LAUNCH_DEPENDENT)
      attribute.values.0 = 1
      return withUnsafePointer(to: attribute) { attribute in
        var launch = krait_cu_launch()
        launch.grid = (UInt32(grid.x), UInt32(grid.y), UInt32(grid.z))
        launch.block = (UInt32(threads), 1, 1)
        launch.shared_bytes = UInt32(sharedBytes)
        launch.stream = device.stream
        launch.attributes = attribute
        launch.attribute_count = 1
        return device.driver.pointee.launch_with_attributes(&launch, function, parameters, nil)
      }
    }
  }
}

extension CUDABackend {
  /// The grid of a launch.
  struct Grid {
    var x: Int
    var y = 1
    var z = 1

    /// One thread for every item, in blocks of so many threads.
    static func items(_ count: Int, threads: Int = 256) -> Grid {
      Grid(x: (count + threads - 1) / threads)
    }

    /// At most so many blocks: for kernels that stride over their items.
    static func strided(_ count: Int, threads: Int = 256, blocks: Int = 4096) -> Grid {
      Grid(x: min((count + threads - 1) / threads, blocks))
    }
  }

  /// Enqueues a kernel; nothing happens when the grid is empty.
  ///
  /// `work` is the operation that the kernel does most of, for the record of calls.
  func launch(
    _ file: String, _ name: String, _ elementType: ElementType, constants: [String] = [],
    grid: Grid, threads: Int = 256, sharedBytes: Int = 0, _ arguments: KernelArguments,
    for work: (any Operation)? = nil
  ) throws(ComputeError) {
    guard grid.x > 0 && grid.y > 0 && grid.z > 0 else { return }
    precondition(
      grid.x < 1 << 31 && grid.y < 65536 && grid.z < 65536,
      "\(name): a grid of \(grid.x) x \(grid.y) x \(grid.z)")
    try device.enter()
    let unit = KernelUnit(file, isBFloat16: elementType == .bfloat16, constants: constants)
    let function = try kernels.function(unit, name)
    if sharedBytes > 48 << 10 { try kernels.allowShared(function, bytes: sharedBytes) }
    let early = launches.mayOverlap && kernels.mayStartEarly(file)
    let code = try record.bracket(
      "\(file.dropLast(3)) \(name)", work: record.isOn ? work.map { ($0.flops, $0.bytes) } : nil
    ) { () throws(ComputeError) in
      launches.start(
        function, early: early, grid: grid, threads: threads, sharedBytes: sharedBytes, arguments)
    }
    try device.check(
      code, early ? "cuLaunchKernelEx" : "cuLaunchKernel", "starting \(name) of \(file)")
    if launches.areSynchronous { try device.synchronize("running \(name) of \(file)") }
  }
}
