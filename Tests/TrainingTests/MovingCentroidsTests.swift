import Compute
import FeedForward
import Testing
import Training
import Transformer

/// A run moves the centroids that tokens are routed by when its configuration says, and only then.
@Suite struct MovingCentroidsTests {
  /// Twelve steps, of which the third to the ninth are sparse.
  private func run(interval: Int) throws -> TinyRun {
    try TinyRun { $0.feedForward.moveCentroids(every: interval) }
  }

  /// Trains; the centroids after every step, by its number from 1. Before the steps of `bad` a weight
  /// becomes no number, and after the last of them what it was.
  private func centroids(
    _ run: TinyRun, bad: ClosedRange<Int>? = nil
  ) throws -> (after: [Int: [[Float]]], summary: RunSummary) {
    defer { run.close() }
    let trainer = try run.prepare()
    let engine = trainer.engine
    let weight = engine.model.parameters[.finalNorm].columns(3..<4)
    var saved: [Float] = []
    var after: [Int: [[Float]]] = [:]
    run.whenShown = { text in
      guard text.hasPrefix("step "), let slash = text.firstIndex(of: "/"),
        let step = Int(text[text.index(text.startIndex, offsetBy: 5)..<slash])
      else { return }
      try engine.pass.feedForward.readClusterState()
      after[step] = engine.pass.feedForward.clusterState.centroids
      if let bad, step == bad.lowerBound - 1 {
        saved = try engine.model.backend.read(weight)
        try engine.model.backend.write([Float.nan], to: weight)
      }
      if let bad, step == bad.upperBound { try engine.model.backend.write(saved, to: weight) }
    }
    let summary = try trainer.run()
    return (after, summary)
  }

  /// The steps after which centroids are not what they were after the step before.
  private func changes(_ after: [Int: [[Float]]]) -> [Int] {
    (4...12).filter { after[$0] != after[$0 - 1] }
  }

  @Test func theyMoveInTheStepsThatAreDue() throws {
    let (moved, _) = try centroids(try run(interval: 2))
    let (kept, _) = try centroids(try run(interval: 0))
    #expect(moved.count == 12 && kept[3]?.isEmpty == false)
    // The first sparse step clusters, and moves.
    #expect(moved[3] != kept[3])
    #expect(changes(moved) == [5, 7, 9])
    #expect(changes(kept) == [])
  }

  @Test func aStepThatIsSkippedMovesNothing() throws {
    let (after, summary) = try centroids(try run(interval: 2), bad: 5...5)
    #expect(summary.skipped == 1)
    #expect(changes(after) == [7, 9])
  }

  @Test func aStepThatIsAbandonedMovesNothing() throws {
    let run = try run(interval: 2)
    let engine = try run.prepare().engine
    let feedForward = engine.pass.feedForward
    let batch = StepEngine.MicroBatch(
      tokens: (0..<32).map { Int32($0) }, targets: (1...32).map { Int32($0) })
    try engine.switchMode(to: .columns)
    let before = feedForward.clusterState.centroids
    func step(finds: Bool, while proceed: () -> Bool) throws -> [[Float]] {
      if finds { feedForward.findCentroidMoves() }
      if let gradients = try engine.gradients(of: [batch, batch], while: proceed) {
        try engine.apply(gradients, learningRate: 1e-3)
      }
      try feedForward.readClusterState()
      return feedForward.clusterState.centroids
    }
    #expect(try step(finds: true, while: { false }) == before)
    // Nor does the next one, which is not due.
    #expect(try step(finds: false, while: { true }) == before)
    #expect(try step(finds: true, while: { true }) != before)
  }
}
