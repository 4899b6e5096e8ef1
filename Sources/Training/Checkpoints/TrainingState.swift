import FeedForward

/// What a checkpoint holds besides tensors: everything that decides how the run goes on.
public struct TrainingState: Sendable, Equatable, Codable {
  /// Steps done; the next one has this index.
  public var step = 0
  /// Global index of the next sample of the data stream.
  public var nextSample = 0
  /// Tokens trained on.
  public var tokens = 0
  /// Seconds spent in steps, over all sessions.
  public var seconds = 0.0
  /// Updates that the optimizer has applied.
  public var updates = 0
  /// Skips and the statistics that judge spikes.
  public var judge: StepJudge
  /// The step before which neurons were last re-clustered: a run that was stopped within that step
  /// must not do it twice.
  public var reclusteredBefore: Int?
  /// Seed of the run: weights and data order are pure functions of it.
  public var seed = 0
  /// Whether clusters and scales are in the parameters file.
  public var hasClusters = false
  /// Neurons in each cluster, per layer.
  public var clusterSizes: [[Int]] = []
  /// Where clusters stand in the row that tokens are sorted by, per layer; nil where a version that did not
  /// keep it wrote the checkpoint.
  public var clusterPlaces: [[Int]]?
  /// beta of U and of D, per layer; bits of Float so that they come back exactly.
  public var upScaleBits: [UInt32] = []
  /// See `upScaleBits`.
  public var downScaleBits: [UInt32] = []
  /// The version of krait and the matrix library that wrote it.
  public var writer = ""

  /// The state of a run that has not begun.
  public init(judge: StepJudge, seed: Int) {
    self.judge = judge
    self.seed = seed
  }
}
