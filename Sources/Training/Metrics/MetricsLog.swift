import FeedForward
import Interchange

/// Writes what happens to `metrics.jsonl` and to TensorBoard events.
///
/// On a resume the lines after the checkpoint's step are removed first, so that no step stands
/// there twice; TensorBoard is told by a session start. A disk that does not take them never ends
/// a run: it is said once, lines wait in memory, and `sync` tries again.
public final class MetricsLog {
  /// The last evaluation up to the step that the log was opened at; nil when there was none.
  public let lastEvaluation: EvaluationRecord?
  private let lines: LineFile
  private let eventsFolder: String
  private let warn: (String) -> Void
  private var events: EventWriter?
  private var lastStep: Int
  private var isFailing = false

  /// Opens the log of a run at a number of steps done.
  ///
  /// - Parameter warn: called with a sentence when something cannot be written later on.
  /// - Throws: when it cannot be written now.
  public init(_ folder: RunFolder, step: Int, warn: @escaping (String) -> Void) throws {
    lastEvaluation = try MetricsHistory.rewind(folder.metricsPath, to: step)
    lines = try LineFile(folder.metricsPath)
    eventsFolder = folder.eventsPath
    lastStep = step
    self.warn = warn
    events = try EventWriter(folder: folder.eventsPath, startStep: step + 1)
  }

  /// Records a step.
  public func write(_ record: StepRecord) {
    lastStep = record.step
    lines.add(record.json)
    send([
      ("train/loss", record.loss), ("train/gradient_norm", record.norm),
      ("train/learning_rate", record.rate), ("train/sparse", record.mode == .dense ? 0 : 1),
      ("speed/tokens_per_second", record.tokensPerSecond),
    ])
    flush()
  }

  /// Records a dense evaluation.
  public func write(_ record: EvaluationRecord) {
    lines.add(record.json)
    send([("evaluation/loss", record.result.loss)])
    if let bits = record.result.bitsPerByte { send([("evaluation/bits_per_byte", bits)]) }
    flush()
  }

  /// Records the sparsity of all layers.
  public func write(_ statistics: SparsityStatistics, clusterSizes: [[Int]], step: Int) {
    for (index, layer) in statistics.layers.enumerated() {
      let record = LayerRecord(
        step: step, layer: index, statistics: layer,
        clusterSizes: index < clusterSizes.count ? clusterSizes[index] : nil)
      lines.add(record.json)
      let tag = "layers/\(index)"
      send([
        ("\(tag)/energy_kept", layer.energyKept), ("\(tag)/nonzero_share", layer.nonzeroShare),
        ("\(tag)/density", layer.density), ("\(tag)/dead_neurons", Double(layer.deadNeurons)),
        ("\(tag)/list_change", layer.listChange), ("\(tag)/list_union", layer.listUnion),
      ])
    }
    flush()
  }

  /// Flushes to disk: before a checkpoint, so that its steps are in the log.
  ///
  /// - Returns: a sentence when something could not be written.
  @discardableResult
  public func sync() -> String? {
    do {
      if events == nil { events = try EventWriter(folder: eventsFolder, startStep: lastStep + 1) }
      try events?.flush()
      try lines.sync()
      isFailing = false
      return nil
    } catch {
      failed(error)
      return "\(error)"
    }
  }

  private func send(_ scalars: [(tag: String, value: Double)]) {
    do {
      for (tag, value) in scalars { try events?.scalar(tag, value, step: lastStep) }
    } catch {
      // The file may end in half a record now; the next `sync` begins another.
      events = nil
      failed(error)
    }
  }

  private func flush() {
    do {
      try lines.flush()
      try events?.flush()
    } catch {
      failed(error)
    }
  }

  private func failed(_ error: any Error) {
    guard !isFailing else { return }
    isFailing = true
    warn("metrics wait in memory: \(error)")
  }
}
