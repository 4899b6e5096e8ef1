import Foundation
import Interchange

/// The part of `metrics.jsonl` that a run wrote before it was resumed.
package enum MetricsHistory {
  private struct Line: Decodable {
    var kind: String
    var step: Int
    var tokens: Int?
    var seconds: Double?
    var loss: Double?
    var evaluatedTokens: Int?
    var evaluatedBytes: Int?
  }

  /// Removes lines of steps after `step`, and a last line that a kill cut off.
  ///
  /// - Returns: the last evaluation that is left.
  package static func rewind(_ path: String, to step: Int) throws -> EvaluationRecord? {
    guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else { return nil }
    var kept = Data()
    var evaluation: EvaluationRecord?
    for text in data.split(separator: UInt8(ascii: "\n")) {
      // A loss that is not finite is written as a string; such a line is kept as it is.
      guard
        let object = try? JSONSerialization.jsonObject(with: Data(text)) as? [String: Any],
        let number = object["step"] as? Int, number <= step
      else { continue }
      kept += text
      kept.append(UInt8(ascii: "\n"))
      if let line = try? JSONDecoder().decode(Line.self, from: Data(text)),
        line.kind == "evaluation", let loss = line.loss, let tokens = line.evaluatedTokens
      {
        evaluation = EvaluationRecord(
          step: line.step, tokens: line.tokens ?? 0, seconds: line.seconds ?? 0,
          result: Evaluator.Result(
            tokens: tokens, loss: loss, bytes: line.evaluatedBytes ?? 0))
      }
    }
    if kept != data { try AtomicFile.write(Array(kept), to: path) }
    return evaluation
  }
}
