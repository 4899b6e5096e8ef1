import Compute
import ComputeCPU
import Corpus
import FeedForward
import Foundation
import Testing
import Training
import Transformer

/// A folder that goes away with the object.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/krait-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// All files below, by path from here, in order.
  func files(below name: String = "") -> [String] {
    let root = name.isEmpty ? path : path + "/" + name
    return (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? [])
      .sorted()
  }
}

/// Runs of a model so small that twelve steps take milliseconds, in a folder of their own with
/// their own shards.
final class TinyRun {
  let folder: TemporaryFolder
  var configuration: RunConfiguration
  /// What was said and shown, line by line.
  private(set) var shown: [String] = []
  /// Called with everything that is shown, on the training thread.
  var whenShown: ((String) throws -> Void)?
  private(set) var trainer: Trainer?

  init(
    mode: FeedForwardMode = .columns, _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws {
    folder = try TemporaryFolder()
    var random = SystemIndependentRandom(seed: 3)
    for (name, count) in [("train", 3000), ("val", 400), ("other", 1000)] {
      let writer = ShardWriter(folder: folder.path, name: name, vocabulary: 257)
      // Text with a pattern, so that there is something to learn.
      try writer.append((0..<count).map { UInt32(($0 * $0 / 7 + random.next(5)) % 64) })
      try writer.finish()
    }
    var made = RunConfiguration()
    made.model.width = 32
    made.model.hiddenWidth = 64
    made.model.layers = 2
    made.model.heads = 2
    made.model.keyValueHeads = 1
    made.model.headWidth = 16
    made.feedForward.mode = mode
    made.feedForward.blockTokens = 8
    made.feedForward.samples = 2
    made.feedForward.keptMultiple = 8
    made.feedForward.density = 0.25
    made.feedForward.clusters = 4
    made.feedForward.reclusterInterval = 3
    made.feedForward.centroidInterval = 0
    made.feedForward.memoryRate = 0.3
    made.feedForward.venomM = 8
    made.data.train = [DataConfiguration.Source(path: folder.path + "/train_000000.bin")]
    made.data.validation = folder.path + "/val_000000.bin"
    made.data.sequence = 16
    made.data.batch = 4
    made.data.microBatch = 2
    made.schedule.steps = 12
    made.schedule.warmup = 3
    made.schedule.denseWarmup = 2
    made.schedule.sparseFraction = 0.6
    made.run.folder = folder.path
    made.run.name = "run"
    made.run.logInterval = 1
    made.run.evaluateInterval = 4
    made.run.evaluateSequences = 4
    made.run.statisticsInterval = 3
    made.run.checkpointInterval = 5
    made.run.sampleTokens = 3
    change(&made)
    configuration = made
  }

  var runFolder: RunFolder { RunFolder(configuration.run.folder + "/" + configuration.run.name) }
  var store: CheckpointStore { CheckpointStore(runFolder.checkpointsPath) }

  static func backend(threads: Int = 1) throws -> CPUBackend {
    CPUBackend(threads: threads, library: try MatrixLibrary.discover(preferring: "own"))
  }

  /// Trains to the end, or until the requests stop it.
  @discardableResult
  func train(
    _ start: Trainer.Start = .new, threads: Int = 1,
    requests: StopRequests = StopRequests(stop: { nil })
  ) throws -> RunSummary {
    try prepare(start, threads: threads, requests: requests).run()
  }

  func prepare(
    _ start: Trainer.Start = .new, threads: Int = 1,
    requests: StopRequests = StopRequests(stop: { nil })
  ) throws -> Trainer {
    trainer = nil
    shown = []
    let progress = ProgressLine(
      steps: configuration.schedule.steps,
      phases: SparsityPhases(configuration.schedule, feedForward: configuration.feedForward),
      interval: 1, terminal: false,
      write: { [weak self] text in
        self?.shown.append(text)
        try? self?.whenShown?(text)
      })
    let made = try Trainer(
      configuration, on: try TinyRun.backend(threads: threads), folder: runFolder, start: start,
      version: "test", progress: progress, requests: requests)
    trainer = made
    return made
  }

  /// Lets go of the trainer and of the lock on the folder.
  func close() { trainer = nil }

  /// Everything that decides how a run goes on, as bytes: tensors, state and metrics, without the
  /// times in them.
  func result() throws -> [String: Data] {
    var result: [String: Data] = [:]
    let newest = try #require(store.steps().last)
    let name = "step-" + String(repeating: "0", count: 8 - "\(newest)".count) + "\(newest)"
    for file in ["parameters.safetensors", "optimizer.safetensors", "state.json"] {
      let data = try Data(
        contentsOf: URL(fileURLWithPath: "\(runFolder.checkpointsPath)/\(name)/\(file)"))
      result[file] = file == "state.json" ? try TinyRun.timeless(data) : data
    }
    result["metrics"] = Data(
      try metrics().map { try TinyRun.timeless($0) }.joined(separator: Data("\n".utf8)))
    return result
  }

  /// The lines of `metrics.jsonl`.
  func metrics() throws -> [Data] {
    try Data(contentsOf: URL(fileURLWithPath: runFolder.metricsPath))
      .split(separator: UInt8(ascii: "\n")).map { Data($0) }
  }

  private static func timeless(_ json: Data) throws -> Data {
    var object = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    for name in ["seconds", "tokensPerSecond", "writer"] { object[name] = nil }
    return try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
  }
}

/// Names of the files in which two results differ.
func differences(_ first: [String: Data], _ second: [String: Data]) -> [String] {
  Set(first.keys).union(second.keys).filter { first[$0] != second[$0] }.sorted()
}

/// Small pseudo-random numbers that are the same everywhere.
struct SystemIndependentRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
}

/// A stop request that comes at the n-th time anybody asks.
final class StopAtPoll {
  private let poll: Int
  private(set) var polls = 0

  init(_ poll: Int) { self.poll = poll }

  var requests: StopRequests {
    StopRequests(stop: { [self] in
      polls += 1
      return polls >= poll ? SIGTERM : nil
    })
  }
}

extension FeedForwardConfiguration {
  /// Instead of clustering neurons again.
  mutating func moveCentroids(every steps: Int) {
    reclusterInterval = 0
    centroidInterval = steps
  }
}
