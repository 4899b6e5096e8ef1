import ArgumentParser
import Compute
import Corpus
import Foundation
import Training

/// Samples text.
struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Continues a prompt with a trained model.",
    discussion: """
      krait generate runs/tiny "One morning"
      krait generate exported-folder "int main(" --temperature 0.2
      """)

  @Argument(help: "A run folder, or a Hugging Face folder.", completion: .directory)
  var source: String
  @Argument(help: "What to continue.") var prompt: String = ""
  @OptionGroup var machine: BackendOptions
  @Option(help: "Tokens to draw.") var tokens = 200
  @Option(help: "0 always takes the likeliest token; 1 draws as the model says.")
  var temperature = 0.7
  @Option(help: "Draw among this many likeliest tokens; 0 for all.") var topK = 0
  @Option(help: "Draw among the likeliest tokens of this total probability.") var topP = 0.95
  @Option(help: "Seed of the draw.") var seed: UInt64 = 0

  func validate() throws {
    if tokens < 1 { throw ValidationError("--tokens is \(tokens); it must be at least 1") }
    if temperature < 0 {
      throw ValidationError("--temperature is \(temperature); it must be 0 or more")
    }
    if !(topP > 0 && topP <= 1) {
      throw ValidationError("--top-p is \(topP); it must be above 0 and at most 1")
    }
    if topK < 0 { throw ValidationError("--top-k is \(topK); it must be 0 or more") }
  }

  func run() throws {
    let loaded = try ModelSource.open(source, on: machine.open())
    let generator = TextGenerator(loaded.model, tokenizer: loaded.tokenizer)
    var start = try generator.promptTokens(prompt)
    if start.isEmpty { start = [0] }
    let output = FileHandle.standardOutput
    output.write(Data(prompt.utf8))
    var pending: [UInt8] = []
    try generator.generate(
      after: start, count: tokens, capacity: loaded.sequenceLength,
      sampler: TokenSampler(temperature: temperature, topK: topK, topP: topP, seed: seed)
    ) { id in
      pending += loaded.tokenizer.decode([UInt32(bitPattern: id)])
      // A character cut between two tokens waits for its end.
      let whole = completePrefix(pending)
      output.write(Data(pending[..<whole]))
      pending.removeFirst(whole)
      return true
    }
    output.write(Data(pending))
    print("")
  }

  /// Bytes up to the last complete UTF-8 character.
  private func completePrefix(_ bytes: [UInt8]) -> Int {
    var start = bytes.count
    while start > 0 && bytes.count - start < 4 {
      start -= 1
      let lead = bytes[start]
      if lead & 0xC0 == 0x80 { continue }
      let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1
      return bytes.count - start < length ? start : bytes.count
    }
    return bytes.count
  }
}
