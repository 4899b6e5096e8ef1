import Foundation
import Testing

/// What a new user gets wrong, and the sentence that helps.
@Suite struct MistakeTests {
  @Test(arguments: [
    (["trian"], Int32(64), "there is no verb 'trian'; did you mean 'krait train'?"),
    (["quantize"], 64, "there is no verb 'quantize'; there are train, prepare, evaluate"),
    (["train", "--set", "sequence=128"], 1, "section.key=value; did you mean data.sequence?"),
    (
      ["train", "--set", "data.sequence"], 1,
      "it must be a whole number, for example data.sequence="
    ),
    (
      ["train", "--set", "device.foo=1"], 1, "no setting device.foo; 'krait train --settings' lists"
    ),
    (["train", "--set", "seq"], 1, "'krait train --settings' lists all"),
    (
      ["plan", "nowhere.toml"], 1, "cannot read the configuration 'nowhere.toml': it does not exist"
    ),
    (["bench", "ffn", "--densities", "x"], 1, "--densities has 'x', which is not a number"),
    (["selftest", "--only", "nonsense"], 1, "no case is left by --only, --except"),
  ])
  func sentences(words: [String], status: Int32, sentence: String) throws {
    let result = try Command.run(words + (words[0] == "bench" ? ["--backend", "cpu"] : []))
    #expect(result.status == status)
    #expect(result.errors.contains(sentence), "\(result.errors)")
  }

  /// A run that diverges at its end can still be looked at, and nothing traps on what is no number.
  @Test func aDivergedRunIsSaidToBeOne() throws {
    try Command.inFolder { folder in
      let run = try Command.run(
        ["train"] + Command.smallRun + [
          "--set", "schedule.steps=4", "--set", "schedule.learningRate=1e30", "--set",
          "optimizer.weightDecay=0", "--set", "run.evaluateInterval=2",
        ], in: folder)
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.errors.contains("step 4: no sample: the model gives no probabilities"))
      #expect(run.errors.contains("the loss is nan"))
      let compared = try Command.run(["compare", "runs/tiny", "--svg", "plots/new"], in: folder)
      #expect(compared.status == 0, "\(compared.errors)")
      // Nothing but its steps can be drawn.
      #expect(compared.output.contains("plots in plots/new: training-loss.svg, speed.svg"))
      #expect(FileManager.default.fileExists(atPath: folder + "/plots/new/speed.svg"))
      let inTheWay = try Command.run(
        ["compare", "runs/tiny", "--svg", "plots/new/speed.svg"], in: folder)
      #expect(inTheWay.status == 1)
      #expect(
        inTheWay.errors.contains(
          "cannot make the folder 'plots/new/speed.svg': File exists; move the file that is in the "
            + "way"), "\(inTheWay.errors)")
      for (verb, sentence) in [
        ("generate", "the model gives no probabilities"), ("evaluate", "is not finite"),
      ] {
        let result = try Command.run([verb, "runs/tiny", "--blas", "own"], in: folder)
        #expect(result.status == 1)
        #expect(result.errors.contains(sentence), "\(result.errors)")
      }
    }
  }

  @Test func doctorSaysWhatAWrongChoiceOfLibraryCosts() throws {
    let result = try Command.run(["doctor"], environment: ["KRAIT_BLAS": "foo"])
    #expect(result.status == 0)
    #expect(result.output.contains("used: none, until KRAIT_BLAS is another: 'foo' is none"))
  }

  /// An older checkpoint in place of the newest is worth a sentence.
  @Test func aDamagedCheckpointIsNotPassedOverInSilence() throws {
    try Command.inFolder { folder in
      let run = try Command.run(
        ["train"] + Command.smallRun + ["--set", "schedule.steps=4"], in: folder)
      #expect(run.status == 0, "\(run.errors)")
      let file = folder + "/runs/tiny/checkpoints/step-00000004/parameters.safetensors"
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
      try handle.seek(toOffset: 3000)
      try handle.write(contentsOf: Data([1, 2, 3, 4, 5]))
      try handle.close()
      let text = try Command.run(
        ["generate", "runs/tiny", "One", "--tokens", "2", "--blas", "own"], in: folder)
      #expect(text.status == 0)
      #expect(text.errors.contains("Warning: the checkpoint of step 4 is not used: "))
      #expect(text.errors.contains("; using runs/tiny, step 3."))
    }
  }

  @Test func whatIsNotTheRightFileIsSaid() throws {
    try Command.inFolder { folder in
      let run = try Command.run(
        ["train"] + Command.smallRun + ["--set", "schedule.steps=1"], in: folder)
      #expect(run.status == 0, "\(run.errors)")
      try Data("hi".utf8).write(to: URL(fileURLWithPath: folder + "/short.txt"))
      for (words, sentence) in [
        (["plan", "runs/tiny"], "it is the folder of a run; give 'runs/tiny/config.toml'"),
        (["evaluate", "runs/tiny", "none.txt"], "give a text file, a shard or a folder of shards"),
        (["evaluate", "runs/tiny", "short.txt"], "a shorter --sequence"),
        (
          ["evaluate", "runs/tiny", "--logits", "no/where", "--tokens", "1"],
          "cannot create 'no/where': No such file or directory"
        ),
      ] {
        let result = try Command.run(words + ["--blas", "own"], in: folder)
        #expect(result.status == 1)
        #expect(result.errors.contains(sentence), "\(result.errors)")
      }
      // Foundation's own path functions trap on such a name.
      let export = try Command.run(
        ["export", "runs/tiny", "--format", "gguf", "g", "--blas", "own"], in: folder)
      #expect(export.status == 0, "\(export.errors)")
      #expect(FileManager.default.fileExists(atPath: folder + "/g/model-f32.gguf"))
    }
  }
}
