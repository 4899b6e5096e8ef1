import Foundation
import Testing
import Training
import Transformer

@Suite struct CheckpointStoreTests {
  private let files = [
    "config.toml", "manifest.json", "optimizer.safetensors", "parameters.safetensors", "state.json",
  ]

  /// A small run with checkpoints of steps 2, 4, 6 and 8.
  private func run() throws -> TinyRun {
    let run = try TinyRun { configuration in
      configuration.model.layers = 1
      configuration.model.width = 8
      configuration.schedule.steps = 8
      configuration.run.checkpointInterval = 2
      configuration.run.keepCheckpoints = 9
      configuration.run.sampleTokens = 0
      configuration.run.evaluateInterval = 0
    }
    try run.train()
    run.close()
    return run
  }

  private func path(_ run: TinyRun, _ step: Int) -> String {
    "\(run.runFolder.checkpointsPath)/step-0000000\(step)"
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func aCheckpointIsAFolderOfFiveFiles() throws {
    let run = try run()
    #expect(run.store.steps() == [2, 4, 6, 8])
    #expect(
      run.folder.files(below: "run/checkpoints").filter { $0.hasPrefix("step-00000008/") }
        == files.map { "step-00000008/" + $0 })
    #expect(try StoredCheckpoint(path(run, 8)).configuration() == run.configuration)
    #expect(try StoredCheckpoint(path(run, 8)).state.nextSample == 32)
  }

  @Test func theNewestAndEveryMthAreKept() throws {
    let run = try TinyRun { configuration in
      configuration.schedule.steps = 9
      configuration.run.checkpointInterval = 1
      configuration.run.keepCheckpoints = 2
      configuration.run.keepEvery = 4
    }
    try run.train()
    #expect(run.store.steps() == [4, 8, 9])
  }

  /// Every byte of both headers and of the small files, and samples of the data.
  @Test func noDamagedByteIsAccepted() throws {
    let run = try run()
    var tried = 0
    for name in files {
      let file = "\(path(run, 8))/\(name)"
      let good = try bytes(file)
      var places = Array(0..<good.count)
      if name.hasSuffix("safetensors") {
        let header = good.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        places =
          Array(0..<8 + header) + Array(stride(from: 8 + header, to: good.count, by: 997))
          + [good.count - 1]
      }
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
      defer { try? handle.close() }
      for place in places {
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: Data([good[place] ^ 0x15]))
        let (checkpoint, rejected) = run.store.latestValid()
        #expect(checkpoint?.state.step == 6, "\(name), byte \(place)")
        #expect(rejected.count == 1 && rejected[0].contains("step 8"), "\(name), byte \(place)")
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: good[place...place])
        tried += 1
      }
    }
    #expect(tried > 3000)
    #expect(run.store.latestValid().checkpoint?.state.step == 8)
  }

  @Test func truncatedAndMissingFilesAreNamed() throws {
    let run = try run()
    for name in files {
      let file = "\(path(run, 8))/\(name)"
      let good = try bytes(file)
      for count in [0, 1, good.count / 2, good.count - 1, good.count + 1] {
        try (good + Data([0])).prefix(count).write(to: URL(fileURLWithPath: file))
        let (checkpoint, rejected) = run.store.latestValid()
        #expect(checkpoint?.state.step == 6, "\(name), \(count) bytes")
        #expect(rejected.first?.contains(file) == true, "\(name), \(count) bytes")
      }
      try FileManager.default.removeItem(atPath: file)
      let (checkpoint, rejected) = run.store.latestValid()
      #expect(checkpoint?.state.step == 6)
      #expect(
        rejected == [
          name == "manifest.json"
            ? "the checkpoint of step 8 is not used: '\(file)' is missing"
            : "the checkpoint of step 8 is not used: '\(file)' is missing or cannot be read"
        ])
      try good.write(to: URL(fileURLWithPath: file))
    }
  }

  @Test(arguments: [
    "", "{}", "[]", "null", "{\"format\":1,\"step\":8,\"files\":[]}", "\u{0}\u{FFFF}",
    "{\"format\":2,\"step\":8,\"files\":[]}",
    "{\"format\":1,\"step\":8,\"files\":[{\"name\":\"../../x\",\"bytes\":-1,\"sha256\":\"\"}]}",
  ])
  func aGarbageManifestIsRejected(text: String) throws {
    let run = try run()
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(run, 8) + "/manifest.json"))
    let (checkpoint, rejected) = run.store.latestValid()
    #expect(checkpoint?.state.step == 6)
    #expect(rejected.count == 1)
  }

  @Test func aResumeFallsBackSaysSoAndEndsWithTheSameBits() throws {
    let run = try run()
    let whole = try run.result()
    for step in [8, 6] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: path(run, step) + "/state.json"))
    }
    #expect(try run.train(.resuming).ending == .finished)
    for (line, step) in zip(run.shown, [8, 6]) {
      #expect(
        line.hasPrefix(
          "the checkpoint of step \(step) is not used: '\(path(run, step))/state.json' has 1 "
            + "bytes, not the "))
    }
    #expect(run.shown[2] == "resuming after step 4, from '\(path(run, 4))'\n")
    run.close()
    #expect(differences(try run.result(), whole) == [])
    #expect(run.store.latestValid().rejected == [])
  }

  @Test func leftoversOfAKilledTrainerAreRemoved() throws {
    let run = try run()
    let leftovers = [".writing-step-00000009", ".removing-step-00000001"].map {
      run.runFolder.checkpointsPath + "/" + $0
    }
    for path in leftovers {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data("half".utf8).write(to: URL(fileURLWithPath: path + "/parameters.safetensors"))
    }
    try run.train(.resuming)
    for path in leftovers { #expect(!FileManager.default.fileExists(atPath: path)) }
    #expect(run.store.steps() == [2, 4, 6, 8])
  }

  @Test func aRunWithoutAnyWholeCheckpointStartsAgain() throws {
    let run = try run()
    let whole = try run.result()
    for step in run.store.steps() {
      try FileManager.default.removeItem(atPath: path(run, step) + "/manifest.json")
    }
    try run.train(.resuming)
    #expect(
      run.shown.contains(
        "'\(run.runFolder.path)' has no checkpoint that can be used: starting from step 0\n"))
    run.close()
    #expect(differences(try run.result(), whole) == [])
  }
}
