import Foundation
import Testing

/// Training as a user sees it: the executable, its exit codes and its sentences.
@Suite struct TrainCommandTests {
  private let settings = Command.smallRun

  private func train(
    _ folder: String, steps: Int = 8, _ more: [String] = []
  ) throws -> Command.Result {
    try Command.run(
      ["train"] + settings + ["--set", "schedule.steps=\(steps)"] + more, in: folder)
  }

  private func checkpoints(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/runs/tiny/checkpoints"))
      ?? []).sorted()
  }

  @Test func trainsResumesEvaluatesAndGenerates() throws {
    try Command.inFolder { folder in
      let first = try train(folder)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.errors.contains("steps    8 of 2 x 32 tokens: dense "))
      #expect(first.output.contains("finished, 8 steps, 512 tokens"))
      #expect(first.output.contains("bits per byte"))
      #expect(first.output.contains("  krait generate runs/tiny 'One '"))
      #expect(checkpoints(folder).last == "step-00000008")

      let again = try train(folder)
      #expect(again.status == 1)
      #expect(again.errors.contains("'runs/tiny' already holds a run; continue it with --resume"))

      let longer = try Command.run(
        ["train", "--resume", "--set", "schedule.steps=10"], in: folder)
      #expect(longer.status == 0, "\(longer.errors)")
      #expect(longer.errors.contains("schedule.steps changes from 8 to 10"))
      #expect(longer.errors.contains("resuming after step 8"))

      let other = try Command.run(
        ["train", "--resume", "--set", "model.width=64"], in: folder)
      #expect(other.status == 1)
      #expect(
        other.errors.contains(
          "model.width is 64, but the run to resume was started with 32; leave the setting out"))

      let evaluation = try Command.run(
        ["evaluate", "runs/tiny", "--windows", "2", "--blas", "own"], in: folder)
      #expect(evaluation.status == 0, "\(evaluation.errors)")
      #expect(evaluation.output.contains("bits per byte"))
      let text = try Command.run(
        ["generate", "runs/tiny", "One", "--tokens", "4", "--blas", "own"], in: folder)
      #expect(text.status == 0 && text.output.hasPrefix("One"))
    }
  }

  @Test func wrongCommandLinesEndWith64AndWrongSettingsWith1() throws {
    try Command.inFolder { folder in
      #expect(try Command.run(["train", "--nonsense"], in: folder).status == 64)
      #expect(try Command.run(["train", "--resume", "--overwrite"], in: folder).status == 64)
      #expect(try Command.run(["nonsense"], in: folder).status == 64)
      let mistakes = try Command.run(
        [
          "train", "--set", "model.widht=3", "--set", "schedule.steps=x", "--set",
          "device.backend=tpu",
        ], in: folder)
      #expect(mistakes.status == 1)
      #expect(mistakes.errors.contains("3 mistakes in the configuration:"))
      #expect(mistakes.errors.contains("did you mean model.width?"))
      #expect(try Command.run(["evaluate", "nowhere"], in: folder).status == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func stepsThatStayNonFiniteEndWith2() throws {
    try Command.inFolder { folder in
      let result = try train(
        folder, steps: 30,
        [
          "--set", "schedule.learningRate=1e30", "--set", "optimizer.maximumSkips=3", "--set",
          "optimizer.weightDecay=0",
        ])
      #expect(result.status == 2, "\(result.errors)")
      #expect(result.output.contains("3 steps in a row could not be applied"))
    }
  }

  /// Files of more than 64 blocks are refused by the system, as on a full disk.
  @Test func aFullDiskIsSaidAndEndsWith1() throws {
    try Command.inFolder { folder in
      let quoted = (["train"] + settings + ["--set", "schedule.steps=8"]).map { "'\($0)'" }
      let script =
        "ulimit -f 64; exec '\(Command.executable.path)' \(quoted.joined(separator: " ")) "
        + ">out 2>err"
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", script]
      process.currentDirectoryURL = URL(fileURLWithPath: folder)
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 1)
      let errors = try String(contentsOfFile: folder + "/err", encoding: .utf8)
      #expect(errors.contains("WARNING: no checkpoint of step 3: cannot write "))
      #expect(errors.contains("File too large; free space on that disk or choose another folder"))
      let output = try String(contentsOfFile: folder + "/out", encoding: .utf8)
      #expect(output.contains("finished, 8 steps"))
      #expect(output.contains("NOT SAVED               the state after step 8: cannot write "))
      #expect(checkpoints(folder) == [])
    }
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func signalsSaveAndEndWith3(signal: Int32) throws {
    try Command.inFolder { folder in
      let process = Process()
      process.executableURL = Command.executable
      process.arguments = ["train"] + settings + ["--set", "schedule.steps=1000000"]
      process.currentDirectoryURL = URL(fileURLWithPath: folder)
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      // The first checkpoint says that steps are being done.
      while checkpoints(folder).isEmpty && process.isRunning { usleep(20_000) }
      kill(process.processIdentifier, SIGUSR1)
      usleep(50_000)
      #expect(process.isRunning)
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      #expect(process.terminationStatus == 3)
      #expect(checkpoints(folder).allSatisfy { $0.hasPrefix("step-") })
      let resumed = try Command.run(
        ["train", "--resume", "--set", "schedule.steps=1"], in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
    }
  }

  @Test func planAndDoctorSayWhatTheyFind() throws {
    let plan = try Command.run(["plan", "--blas", "own", "--threads", "1"])
    #expect(plan.status == 0)
    for word in ["parameters", "peak memory", "GFLOP per sparse step"] {
      #expect(plan.output.contains(word))
    }
    let doctor = try Command.run(["doctor"])
    #expect(doctor.status == 0)
    for word in ["Processor", "Cores", "Matrix libraries"] { #expect(doctor.output.contains(word)) }
  }
}
