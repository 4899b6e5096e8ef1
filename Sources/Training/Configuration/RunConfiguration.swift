public import FeedForward
public import Transformer

/// Everything that decides a run. The resolved configuration is saved with it.
public struct RunConfiguration: Sendable, Equatable {
  /// The shape of the model.
  public var model = ModelConfiguration()
  /// What sparse steps do.
  public var feedForward = FeedForwardConfiguration()
  /// Where tokens come from.
  public var data = DataConfiguration()
  /// Constants of AdamW and what is done about bad steps.
  public var optimizer = OptimizerConfiguration()
  /// What happens when.
  public var schedule = ScheduleConfiguration()
  /// The run folder, and how often things are written.
  public var run = RunSettings()
  /// Which machine computes.
  public var device = DeviceConfiguration()

  /// The defaults: the `tiny` preset.
  public init() { self = PresetDefaults.configuration(.tiny) }

  init(bare: Void) {}
}

/// `[data]`: where tokens come from.
public struct DataConfiguration: Sendable, Equatable {
  /// A data set and its weight in the mix.
  public struct Source: Sendable, Equatable {
    /// A shard, or a folder of shards.
    public var path: String
    /// Any number above zero.
    public var weight: Double

    /// See the properties.
    public init(path: String, weight: Double = 1) {
      self.path = path
      self.weight = weight
    }
  }

  /// Data sets to train on; none stands for the built-in corpus.
  public var train: [Source] = []
  /// What to evaluate on: a shard or folder; empty takes the first data set's `*val*` shards.
  public var validation = ""
  /// `bytes`, or the path of a `tokenizer.json`.
  public var tokenizer = "bytes"
  /// Tokens of a sequence.
  public var sequence = 256
  /// Sequences of an optimizer step.
  public var batch = 8
  /// Sequences of a forward pass; divides `batch`.
  public var microBatch = 8

  /// The defaults.
  public init() {}
}

/// `[optimizer]`: AdamW and bad steps.
public struct OptimizerConfiguration: Sendable, Equatable {
  /// Decay of the first moment.
  public var beta1 = 0.9
  /// Decay of the second moment.
  public var beta2 = 0.95
  /// Added to the root of the second moment.
  public var epsilon = 1e-8
  /// Decoupled decay of matrices.
  public var weightDecay = 0.1
  /// Largest global norm of an update's gradient; 0 never clips.
  public var gradientClip = 1.0
  /// Steps whose loss or norm lies more standard deviations above the mean are skipped; 0 only logs.
  public var spikeThreshold = 0.0
  /// Steps that mean and deviation are taken over.
  public var spikeWindow = 128
  /// Skipped steps in a row that end the run.
  public var maximumSkips = 5

  /// The defaults.
  public init() {}
}

/// The course of the learning rate.
public enum ScheduleShape: String, Sendable, CaseIterable {
  /// Warm-up, stable, linear decay.
  case wsd
  /// Warm-up, then half a cosine.
  case cosine
  /// Warm-up, then constant.
  case constant
}

/// `[schedule]`: what happens when.
public struct ScheduleConfiguration: Sendable, Equatable {
  /// A stretch of steps in one mode.
  public struct Phase: Sendable, Equatable {
    /// How feed-forward networks compute in it.
    public var mode: FeedForwardMode
    /// How many steps it lasts.
    public var steps: Int

    /// See the properties.
    public init(mode: FeedForwardMode, steps: Int) {
      self.mode = mode
      self.steps = steps
    }
  }

  /// Optimizer steps of the run.
  public var steps = 400
  /// The course of the learning rate.
  public var shape = ScheduleShape.wsd
  /// The highest learning rate.
  public var learningRate = 1e-3
  /// Steps over which it rises.
  public var warmup = 40
  /// Share of the run that a `wsd` schedule decays in.
  public var decayFraction = 0.25
  /// The last learning rate over the highest.
  public var minimumRatio = 0.02
  /// Dense steps before the first sparse one.
  public var denseWarmup = 40
  /// Share of all steps that are sparse; the rest, after them, is dense.
  public var sparseFraction = 0.8
  /// Share of the sparse steps, from the first, that use the 2:4 weights of
  /// `FeedForwardConfiguration.sparseWeights`; later ones use the weights as they are.
  public var sparseWeightsFraction = 1.0
  /// Phases one after the other, in place of `denseWarmup` and `sparseFraction`; the last one
  /// lasts to the end.
  public var phases: [Phase] = []

  /// The defaults.
  public init() {}
}

/// `[run]`: the run folder, and how often things are written.
public struct RunSettings: Sendable, Equatable {
  /// Name of the run; its folder is `<folder>/<name>`.
  public var name = "tiny"
  /// Where run folders are.
  public var folder = "runs"
  /// Seed of weights and data order.
  public var seed = 1
  /// Steps between plain progress lines.
  public var logInterval = 10
  /// Steps between dense evaluations; 0 evaluates at the end only.
  public var evaluateInterval = 100
  /// Sequences of an evaluation.
  public var evaluateSequences = 64
  /// Steps between measurements of sparsity; 0 never.
  public var statisticsInterval = 50
  /// Steps between checkpoints; 0 writes one at the end only.
  public var checkpointInterval = 100
  /// Newest checkpoints that are kept.
  public var keepCheckpoints = 3
  /// Every so many steps a checkpoint is kept for good; 0 none.
  public var keepEvery = 0
  /// Steps between text samples; 0 writes one at the end only.
  public var sampleInterval = 0
  /// What text samples continue.
  public var samplePrompt = "One "
  /// Tokens of a text sample.
  public var sampleTokens = 200

  /// The defaults.
  public init() {}
}

/// `[device]`: which machine computes.
public struct DeviceConfiguration: Sendable, Equatable {
  /// `auto`, `cpu` or `cuda`.
  public var backend = "auto"
  /// What activations and the weights of products are stored in on a GPU: auto (bfloat16),
  /// bfloat16 or float32. The CPU computes in float32.
  public var precision = "auto"
  /// What gradients of matrices are stored in: auto (as `precision`, where one dense micro-batch is
  /// the whole batch; else float32) or float32.
  public var gradients = "auto"
  /// CPU threads; 0 takes every core.
  public var threads = 0
  /// Matrix library on the CPU; empty takes the best.
  public var blas = ""
  /// Whether a run can be repeated bit for bit on the same GPU; false is faster. The CPU always can.
  public var reproducible = true
  /// What is computed again in the backward pass, to save memory.
  public var recompute = Recomputation.none

  /// The defaults.
  public init() {}
}
