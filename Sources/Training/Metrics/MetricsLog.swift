import FeedForward
import Foundation
import Glibc
import Interchange

/// Writes what happens to `metrics.jsonl` and to TensorBoard events.
///
/// On a resume the lines after the checkpoint's step are removed first, so that no step stands
/// there twice; TensorBoard is told by a session start.
public final class MetricsLog {
  private let file: UnsafeMutablePointer<FILE>
  private let path: String
  private let events: EventWriter

  /// Opens the log of a run at a number of steps done.
  public init(_ folder: RunFolder, step: Int) throws {
    path = folder.metricsPath
    try MetricsLog.rewind(path, to: step)
    guard let file = fopen(path, "a") else {
      throw InterchangeError.system("open", path, errno)
    }
    self.file = file
    events = try EventWriter(folder: folder.eventsPath, startStep: step + 1)
  }

  deinit { fclose(file) }

  /// Records a step.
  public func write(_ record: StepRecord) throws {
    var fields: [(String, String)] = [
      ("kind", "\"step\""), ("step", "\(record.step)"), ("loss", MetricsLog.json(record.loss)),
      ("norm", MetricsLog.json(record.norm)), ("rate", MetricsLog.json(record.rate)),
      ("tokens", "\(record.tokens)"), ("seconds", MetricsLog.json(record.seconds)),
      ("tokensPerSecond", MetricsLog.json(record.tokensPerSecond)),
      ("mode", "\"\(record.mode.rawValue)\""), ("skipped", "\(record.skipped != nil)"),
    ]
    if let reason = record.skipped { fields.append(("reason", MetricsLog.quote(reason))) }
    try line(fields)
    try events.scalar("train/loss", record.loss, step: record.step)
    try events.scalar("train/gradient_norm", record.norm, step: record.step)
    try events.scalar("train/learning_rate", record.rate, step: record.step)
    try events.scalar("speed/tokens_per_second", record.tokensPerSecond, step: record.step)
    try events.scalar("train/sparse", record.mode == .dense ? 0 : 1, step: record.step)
  }

  /// Records a dense evaluation.
  public func write(_ record: EvaluationRecord) throws {
    var fields: [(String, String)] = [
      ("kind", "\"evaluation\""), ("step", "\(record.step)"), ("tokens", "\(record.tokens)"),
      ("seconds", MetricsLog.json(record.seconds)),
      ("loss", MetricsLog.json(record.result.loss)),
      ("perplexity", MetricsLog.json(record.result.perplexity)),
    ]
    if let bits = record.result.bitsPerByte {
      fields.append(("bitsPerByte", MetricsLog.json(bits)))
    }
    try line(fields)
    try events.scalar("evaluation/loss", record.result.loss, step: record.step)
    if let bits = record.result.bitsPerByte {
      try events.scalar("evaluation/bits_per_byte", bits, step: record.step)
    }
    try flush()
  }

  /// Records the sparsity of all layers.
  public func write(
    _ statistics: SparsityStatistics, clusterSizes: [[Int]], step: Int
  ) throws {
    for (index, layer) in statistics.layers.enumerated() {
      var fields: [(String, String)] = [
        ("kind", "\"layer\""), ("step", "\(step)"), ("layer", "\(index)"),
        ("energyKept", MetricsLog.json(layer.energyKept)),
        ("nonzeroShare", MetricsLog.json(layer.nonzeroShare)),
        ("density", MetricsLog.json(layer.density)), ("deadNeurons", "\(layer.deadNeurons)"),
      ]
      if index < clusterSizes.count {
        fields.append(("clusterSizes", "\(clusterSizes[index])"))
      }
      try line(fields)
      let tag = "layers/\(index)"
      try events.scalar("\(tag)/energy_kept", layer.energyKept, step: step)
      try events.scalar("\(tag)/nonzero_share", layer.nonzeroShare, step: step)
      try events.scalar("\(tag)/density", layer.density, step: step)
      try events.scalar("\(tag)/dead_neurons", Double(layer.deadNeurons), step: step)
    }
  }

  /// Hands everything to the system.
  public func flush() throws {
    guard fflush(file) == 0 else { throw InterchangeError.system("write", path, errno) }
    try events.flush()
  }

  /// Flushes to disk: before a checkpoint, so that its steps are in the log.
  public func sync() throws {
    try flush()
    fsync(fileno(file))
  }

  private func line(_ fields: [(String, String)]) throws {
    let text = "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}\n"
    guard fputs(text, file) >= 0 else { throw InterchangeError.system("write", path, errno) }
  }

  /// A number as JSON, which knows no NaN and no infinity: those become strings.
  private static func json(_ value: Double) -> String {
    value.isFinite ? "\(value)" : "\"\(value)\""
  }

  private static func quote(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  /// Removes lines of later steps, and a last line that a kill cut off.
  static func rewind(_ path: String, to step: Int) throws {
    guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else { return }
    var kept = Data()
    for line in data.split(separator: UInt8(ascii: "\n")) {
      guard
        let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
        let number = object["step"] as? Int, number <= step
      else { continue }
      kept += line
      kept.append(UInt8(ascii: "\n"))
    }
    guard kept != data else { return }
    try AtomicFile.write(Array(kept), to: path)
  }
}
