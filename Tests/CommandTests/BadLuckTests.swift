import Foundation
import Testing

/// What goes wrong around a GPU: each a sentence, an exit code, and a run that can go on.
@Suite(.serialized, .enabled(if: FakeGPU.compiler != nil, "there is no C compiler"))
struct BadLuckTests {
  private let settings: [String] = [
    "model.width=32", "model.hiddenWidth=64", "model.layers=1", "model.heads=2",
    "model.keyValueHeads=1", "model.headWidth=16", "feedForward.mode=dense", "data.sequence=32",
    "data.batch=2", "data.microBatch=1", "schedule.warmup=2", "schedule.steps=8",
    "run.checkpointInterval=3", "run.evaluateSequences=2", "run.sampleTokens=8",
    "device.backend=cuda",
  ].flatMap { ["--set", $0] }

  private func withGPU(_ body: (FakeGPU) throws -> Void) throws {
    let gpu = try FakeGPU()
    defer { gpu.delete() }
    try body(gpu)
  }

  private func train(
    _ gpu: FakeGPU, _ arguments: [String] = [], _ environment: [String: String] = [:]
  ) throws -> Command.Result {
    try Command.run(
      ["train"] + settings + arguments, in: gpu.folder,
      environment: gpu.environment(environment))
  }

  private func checkpoints(_ gpu: FakeGPU) -> [String] {
    let path = gpu.folder + "/runs/tiny/checkpoints"
    return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }

  /// Whatever the driver says, at whatever call: the run ends, and goes on from its checkpoint.
  @Test(arguments: [(719, "CUDA_ERROR_LAUNCH_FAILED"), (46, "dmesg, Xid"), (700, "SYNCHRONIZE")])
  func aDeviceThatFallsOffLeavesItsCheckpoint(code: Int, text: String) throws {
    try withGPU { gpu in
      let lost = try train(
        gpu, [],
        [
          "KRAIT_FAKE_LOST_WHEN": gpu.folder + "/runs/tiny/checkpoints/step-00000003",
          "KRAIT_FAKE_CODE": "\(code)",
        ])
      #expect(lost.status == 1)
      #expect(lost.errors.contains(text), "\(lost.errors)")
      #expect(lost.errors.contains("the newest checkpoint is of step "))
      #expect(lost.errors.contains("krait train --resume --set run.name=tiny"))
      #expect(checkpoints(gpu).first == "step-00000003")
      #expect(!checkpoints(gpu).contains("step-00000008"))

      let resumed = try Command.run(
        ["train", "--resume"], in: gpu.folder, environment: gpu.environment())
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.errors.contains("resuming after step "))
      #expect(checkpoints(gpu).last == "step-00000008")
    }
  }

  @Test func aRunTooLargeForItsGPUDoesNotStart() throws {
    try withGPU { gpu in
      let result = try train(
        gpu, ["--set", "data.microBatch=2", "--set", "data.sequence=2048"],
        ["KRAIT_FAKE_MEMORY": "\(6 << 20)"])
      #expect(result.status == 1)
      #expect(result.errors.contains("of 6 MiB are free:"), "\(result.errors)")
      #expect(result.errors.contains("activations outside FFNs"))
      #expect(result.errors.contains("Lower data.microBatch"))
      #expect(!FileManager.default.fileExists(atPath: gpu.folder + "/runs"))
    }
  }

  /// A resumed run that does not fit on another GPU keeps what it has.
  @Test func aResumedRunThatDoesNotFitKeepsItsCheckpoints() throws {
    try withGPU { gpu in
      #expect(try train(gpu).status == 0)
      let result = try Command.run(
        ["train", "--resume", "--set", "schedule.steps=9"], in: gpu.folder,
        environment: gpu.environment(["KRAIT_FAKE_MEMORY": "\(1 << 20)"]))
      #expect(result.status == 1)
      #expect(result.errors.contains("MiB of GPU memory"), "\(result.errors)")
      #expect(checkpoints(gpu).last == "step-00000008")
    }
  }

  /// Somebody else took the memory after the forecast: what holds it is said, the run goes on later.
  @Test func memoryThatIsGoneLaterLeavesTheCheckpoint() throws {
    try withGPU { gpu in
      // Sparse steps, and the evaluation of step 4, ask for more.
      let full = try train(
        gpu, ["--set", "run.evaluateInterval=4"],
        ["KRAIT_FAKE_FULL_WHEN": gpu.folder + "/runs/tiny/checkpoints/step-00000003"])
      #expect(full.status == 1)
      #expect(full.errors.contains("outOfMemory"), "\(full.errors)")
      #expect(full.errors.contains("which holds "))
      #expect(full.errors.contains("krait train --resume --set run.name=tiny"))
      let resumed = try Command.run(
        ["train", "--resume"], in: gpu.folder, environment: gpu.environment())
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(checkpoints(gpu).last == "step-00000008")
    }
  }

  @Test func aGPUThatIsTooOldOrUnknownIsNamed() throws {
    try withGPU { gpu in
      let old = try train(gpu, [], ["KRAIT_FAKE_CAPABILITY": "75"])
      #expect(old.status == 1)
      #expect(old.errors.contains("a fake GPU has compute capability 7.5; Krait needs 8.0"))
      #expect(old.errors.contains("use --backend cpu"), "\(old.errors)")
      // The compiler knows 8.0 alone; a newer GPU takes its PTX.
      let new = try train(gpu, [], ["KRAIT_FAKE_CAPABILITY": "120"])
      #expect(new.status == 0, "\(new.errors)")
      #expect(new.errors.contains("Compiling GPU kernels for compute_80"))
    }
  }

  /// The driver is older than the compiler, or the kernels are another GPU's.
  @Test(arguments: [
    (218, "the kernel compiler is newer than the driver: update the driver"),
    (209, "the code is for another GPU: delete the kernel cache"),
  ])
  func kernelsThatTheDriverRefusesSayWhatToDo(code: Int, advice: String) throws {
    try withGPU { gpu in
      let result = try train(gpu, [], ["KRAIT_FAKE_LOAD": "\(code)"])
      #expect(result.status == 1)
      #expect(result.errors.contains("cuModuleLoadData failed"), "\(result.errors)")
      #expect(result.errors.contains(advice), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: gpu.folder + "/runs"))
    }
  }

  /// Optional libraries: too old, missing, or refusing to work; each costs speed and a sentence.
  @Test func optionalLibrariesCostTheirFeatureAndASentence() throws {
    try withGPU { gpu in
      let empty = try train(gpu)
      #expect(empty.status == 0, "\(empty.errors)")
      #expect(empty.errors.contains("Warning: Krait's own kernels compute matrix products, slowly"))
      #expect(empty.errors.contains("libcublasLt.so.13: has no cublasLtGetVersion"))
      #expect(empty.errors.contains("Warning: Krait's own kernels compute attention, slowly"))
      #expect(empty.errors.contains("libcudnn.so.9: has no cudnnGetVersion: it is too old"))

      try gpu.completeLibraries()
      let refusing = try train(gpu, ["--overwrite"])
      #expect(refusing.status == 0, "\(refusing.errors)")
      #expect(refusing.errors.contains("cublasLtCreate failed"))
      #expect(refusing.errors.contains("cudnnCreate failed"))

      let old = try train(gpu, ["--overwrite"], ["KRAIT_FAKE_CUDNN": "90100"])
      #expect(old.status == 0, "\(old.errors)")
      #expect(old.errors.contains("version 90100, older than 91301: update it"))
    }
  }

  /// Files of the cache that are cut, altered or of another format are compiled again.
  @Test func aCorruptCacheIsCompiledAgain() throws {
    try withGPU { gpu in
      #expect(try train(gpu).status == 0)
      let cache = gpu.folder + "/cache"
      let names = try FileManager.default.contentsOfDirectory(atPath: cache).sorted()
      try #require(names.count > 2)
      var whole: [Data] = []
      for (index, name) in names.enumerated() {
        let path = cache + "/" + name
        var data = try #require(FileManager.default.contents(atPath: path))
        whole.append(data)
        switch index % 3 {
        case 0: data = data.dropLast()
        case 1: data[data.count - 1] ^= 1
        default: data = Data()
        }
        try data.write(to: URL(fileURLWithPath: path))
      }
      let again = try train(gpu, ["--overwrite"])
      #expect(again.status == 0, "\(again.errors)")
      #expect(again.errors.contains("Compiling GPU kernels"), "\(again.errors)")
      for (name, data) in zip(names, whole) {
        #expect(FileManager.default.contents(atPath: cache + "/" + name) == data, "\(name)")
      }
    }
  }

  @Test func aDriverThatRefusesIsQuoted() throws {
    try withGPU { gpu in
      let result = try train(gpu, [], ["KRAIT_FAKE_INIT": "1", "KRAIT_FAKE_CODE": "803"])
      #expect(result.status == 1)
      #expect(result.errors.contains("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"), "\(result.errors)")
      #expect(result.errors.contains("the driver is older than the libraries: update it"))
    }
  }

  @Test func librariesThatLackSymbolsAreNamed() throws {
    try withGPU { gpu in
      try gpu.emptyLibrary("libnvrtc.so.13")
      let compiler = try train(gpu)
      #expect(compiler.status == 1)
      #expect(
        compiler.errors.contains("libnvrtc.so.13: has no nvrtcVersion: it is too old; update it"),
        "\(compiler.errors)")
      try gpu.emptyLibrary("libcuda.so.1")
      let driver = try train(gpu)
      #expect(driver.status == 1)
      #expect(driver.errors.contains("libcuda.so.1: has no cuInit: it is too old; update it"))
      // Where the CPU will do, it does, and says so.
      let other = try train(gpu, ["--set", "device.backend=auto", "--set", "device.blas=own"])
      #expect(other.status == 0, "\(other.errors)")
      #expect(other.errors.contains("Computing on the CPU: "))
      let doctor = try Command.run(["doctor"], environment: gpu.environment())
      #expect(doctor.output.contains("has no cuInit: it is too old; update it"))
    }
  }

  /// Killed in the middle of compiling: the next start goes on from the files that are whole.
  @Test func aKillWhileCompilingLeavesAUsableCache() throws {
    try withGPU { gpu in
      let process = Process()
      process.executableURL = Command.executable
      process.arguments = ["train"] + settings
      process.currentDirectoryURL = URL(fileURLWithPath: gpu.folder)
      process.environment = ProcessInfo.processInfo.environment.merging(
        gpu.environment(["KRAIT_FAKE_COMPILE": "500"])
      ) { $1 }
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      usleep(300_000)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(!FileManager.default.fileExists(atPath: gpu.folder + "/runs"))
      #expect(try train(gpu).status == 0)
      let again = try train(gpu, ["--overwrite"])
      #expect(again.status == 0)
      #expect(!again.errors.contains("Compiling GPU kernels"), "\(again.errors)")
    }
  }

  @Test func aCacheThatCannotBeWrittenCostsNoMoreThanCompiling() throws {
    try withGPU { gpu in
      let result = try train(gpu, [], ["KRAIT_KERNEL_CACHE": "/proc/krait"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("Compiling GPU kernels"))
    }
  }
}
