/// A run's summary for a person: what was reached, and what to do next.
extension RunSummary {
  /// The summary; lines of a name and a value, then commands.
  public var text: String {
    var lines: [String] = []
    func add(_ name: String, _ value: String) {
      lines.append(name + String(repeating: " ", count: max(1, 24 - name.count)) + value)
    }
    add("run", endingText)
    if skipped > 0 { add("skipped steps", "\(skipped)") }
    if let dense { add("dense steps", SummaryText.rate(dense)) }
    if let sparse { add("sparse steps", SummaryText.rate(sparse)) }
    if let dense, let sparse {
      add(
        "step speed-up", SummaryText.times(sparse.tokensPerSecond / dense.tokensPerSecond))
    }
    if let ratio = feedForwardSpeedUp { add("feed-forward speed-up", SummaryText.times(ratio)) }
    if let memory { add("peak memory", memory.text) }
    if let evaluation {
      var value = "loss \(ProgressLine.decimals(evaluation.result.loss, 4))"
      if let bits = evaluation.result.bitsPerByte {
        value += ", \(ProgressLine.decimals(bits, 4)) bits per byte"
      }
      if evaluation.step != step { value += " (after step \(evaluation.step))" }
      add("held-out text, dense", value)
    }
    add("run folder", folder)
    if let unsaved {
      let newest =
        savedStep.map { "the newest checkpoint is of step \($0)" } ?? "there is no checkpoint"
      add("NOT SAVED", "the state after step \(step): \(unsaved); \(newest)")
    }
    if let metricsProblem { add("NOT SAVED", "the last metrics: \(metricsProblem)") }
    if let sample { lines += ["", "sample", SummaryText.indent(prompt + sample)] }
    lines += [""] + nextSteps
    return lines.joined(separator: "\n")
  }

  private var endingText: String {
    switch ending {
    case .finished: return "finished, \(step) steps, \(ProgressLine.grouped(tokens)) tokens"
    case .stopped(let signal):
      let saved = unsaved == nil ? "; checkpoint written" : ""
      return "stopped by \(StopSignals.name(signal)) after \(step) steps\(saved)"
    case .failed(let sentence): return "ended after \(step) steps: \(sentence)"
    }
  }

  /// The command that goes on with the run of a folder.
  static func resumeCommand(folder: String) -> String {
    let parts = folder.split(separator: "/", omittingEmptySubsequences: false)
    let name = SummaryText.shellWord("run.name=" + (parts.last ?? ""))
    let parent = parts.dropLast().joined(separator: "/")
    let place =
      parent == RunSettings().folder
      ? "" : " --set " + SummaryText.shellWord("run.folder=\(parent)")
    return "krait train --resume\(place) --set \(name)"
  }

  private var nextSteps: [String] {
    let path = SummaryText.shellWord(folder)
    // Without a checkpoint there is nothing that other verbs could read.
    guard ending == .finished, unsaved == nil || savedStep != nil else {
      return ["next", "  " + RunSummary.resumeCommand(folder: folder)]
    }
    let commands = [
      ("krait generate \(path) \(SummaryText.shellWord(prompt))", "more text"),
      ("krait export \(path) --format hf DIR", "for Transformers; or gguf, for llama.cpp"),
      ("krait compare \(path)", "add other runs to see them side by side"),
      ("tensorboard --logdir \(path)", "curves in a browser"),
    ]
    let width = commands.map(\.0.count).max() ?? 0
    return ["next"]
      + commands.map { command, purpose in
        "  " + command + String(repeating: " ", count: width - command.count + 2) + "# " + purpose
      }
  }
}

/// Pieces of text for the summary.
private enum SummaryText {
  static func rate(_ speed: RunSummary.Speed) -> String {
    ProgressLine.grouped(Int(speed.tokensPerSecond.rounded())) + " tokens/s"
  }

  static func times(_ ratio: Double) -> String { ProgressLine.decimals(ratio, 2) + "x" }

  /// Every line indented; control characters, which a sample of raw bytes may hold, shown as dots.
  static func indent(_ text: String) -> String {
    let safe = String(
      text.unicodeScalars.map { scalar in
        scalar == "\n" || scalar == "\t" || scalar.properties.generalCategory != .control
          ? Character(scalar) : "·"
      })
    return safe.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }
      .joined(separator: "\n")
  }

  /// A word as a shell takes it.
  static func shellWord(_ text: String) -> String {
    let plain = text.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "/._-=".contains($0))
    }
    return plain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }
}
