import ArgumentParser
import Foundation
import Training

/// Pre-trains a model.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pre-trains a model; with no argument the tiny preset on the built-in corpus.",
    discussion: """
      Settings come from the preset, then the configuration file, then --set, each on top of the \
      last; the resolved ones are saved as <run>/config.toml.

        krait train --preset 124m --set data.train=shards --set schedule.steps=5000
        krait train --resume --set run.name=tiny

      Signals: SIGTERM or SIGINT (Ctrl-C) write a checkpoint and exit; SIGUSR1 writes one and \
      goes on.
      """)

  @Argument(help: "A TOML configuration.", completion: .file(extensions: ["toml"]))
  var configurationFile: String?

  @Option(help: "tiny, 124m, 350m, 1b or 7b.")
  var preset: String?

  @Option(name: .customLong("set"), help: "section.key=value; may be repeated.")
  var overrides: [String] = []

  @Flag(help: "Go on from the newest checkpoint of the run.")
  var resume = false

  @Flag(help: "Delete the run of that name first, if there is one.")
  var overwrite = false

  @Flag(help: "List all settings with their present values, and stop.")
  var settings = false

  func validate() throws {
    if resume && overwrite {
      throw ValidationError("--resume keeps the run that --overwrite would delete; give one")
    }
  }

  func run() throws {
    StopSignals.install()
    let configuration = try RunConfiguration.read(
      path: configurationFile, preset: preset, overrides: overrides)
    if settings {
      print(configuration.toml, terminator: "")
      return
    }
    let folder = RunFolder(configuration.run.folder + "/" + configuration.run.name)
    let resumes = resume && folder.holdsRun
    if resume && !resumes {
      say("there is no run in '\(folder.path)' to resume: starting it")
    }
    let final = resumes ? try resumed(folder, given: configuration) : configuration
    let backend = try BackendChoice.open(
      backend: final.device.backend, precision: final.device.precision,
      threads: final.device.threads, blas: final.device.blas,
      reproducible: final.device.reproducible)
    let trainer = try Trainer(
      final, on: backend, folder: folder,
      start: resumes ? .resuming : overwrite ? .overwriting : .new, version: KraitVersion.text)
    say(trainer.introduction + "\n")
    let summary = try trainer.run()
    print("\n" + summary.text)
    switch summary.ending {
    case .failed: throw ExitCode(2)
    case _ where !summary.isSaved: throw ExitCode(1)
    case .stopped: throw ExitCode(3)
    case .finished: return
    }
  }

  /// A resumed run keeps its own configuration; what is given on the command line goes on top.
  private func resumed(
    _ folder: RunFolder, given: RunConfiguration
  ) throws -> RunConfiguration {
    if configurationFile != nil { return given }
    var final = try RunConfiguration.read(
      resolved: folder.configurationPath, overrides: overrides)
    // A preset that is another model's is refused by the trainer, with both values.
    if preset != nil { final.model = given.model }
    return final
  }

  private func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }
}
