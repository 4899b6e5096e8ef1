import Foundation
import Testing
import Training

@Suite struct MetricsTests {
  private func objects(_ run: TinyRun) throws -> [[String: Any]] {
    try run.metrics().map {
      try #require(try JSONSerialization.jsonObject(with: $0) as? [String: Any])
    }
  }

  @Test func everyLineIsOneRecordOfAKnownKind() throws {
    let run = try TinyRun()
    try run.train()
    let lines = try objects(run)
    let steps = lines.filter { $0["kind"] as? String == "step" }
    #expect(steps.map { $0["step"] as? Int } == Array(1...12))
    #expect(steps.map { $0["tokens"] as? Int } == (1...12).map { $0 * 64 })
    #expect(
      steps.map { $0["mode"] as? String }
        == (1...12).map { (3...9).contains($0) ? "columns" : "dense" })
    for line in steps {
      for name in ["loss", "norm", "rate", "seconds", "tokensPerSecond"] {
        #expect(line[name] is Double, "\(name)")
      }
      #expect(line["skipped"] as? Bool == false)
    }
    let evaluations = lines.filter { $0["kind"] as? String == "evaluation" }
    #expect(evaluations.map { $0["step"] as? Int } == [4, 8, 12])
    for line in evaluations {
      #expect(line["evaluatedTokens"] as? Int == 64)
      for name in ["loss", "perplexity", "bitsPerByte"] { #expect(line[name] is Double) }
    }
    let layers = lines.filter { $0["kind"] as? String == "layer" }
    #expect(layers.map { $0["step"] as? Int } == [3, 3, 6, 6, 9, 9, 12, 12])
    #expect(layers.map { $0["layer"] as? Int } == [0, 1, 0, 1, 0, 1, 0, 1])
    #expect((layers[2]["clusterSizes"] as? [Int])?.reduce(0, +) == 64)
    #expect(steps.count + evaluations.count + layers.count == lines.count)
    #expect(!run.folder.files(below: "run/events").isEmpty)
  }

  @Test func rewindingRemovesLaterStepsAndAHalfLine() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/metrics.jsonl"
    let kept = """
      {"kind":"step","step":1,"loss":"nan"}
      {"kind":"evaluation","step":1,"tokens":8,"seconds":0.5,"loss":5.25,"evaluatedTokens":4,"evaluatedBytes":3}
      {"kind":"step","step":2,"loss":5}

      """
    let later = """
      {"kind":"evaluation","step":3,"tokens":8,"seconds":0.5,"loss":1,"evaluatedTokens":4}
      {"kind":"step","step":3,"loss":4}
      {"kind":"st
      """
    try Data((kept + later).utf8).write(to: URL(fileURLWithPath: path))
    let evaluation = try #require(try MetricsHistory.rewind(path, to: 2))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == kept)
    #expect(evaluation.step == 1 && evaluation.tokens == 8)
    #expect(evaluation.result == Evaluator.Result(tokens: 4, loss: 5.25, bytes: 3))
    #expect(try MetricsHistory.rewind(folder.path + "/missing", to: 2) == nil)
  }

  @Test func aLogThatCannotBeWrittenIsSaidAtTheStart() throws {
    let run = try TinyRun()
    try FileManager.default.createDirectory(
      atPath: run.runFolder.metricsPath, withIntermediateDirectories: true)
    let error = #expect(throws: (any Error).self) { try run.prepare() }
    #expect("\(try #require(error))".contains("metrics.jsonl"))
  }
}
