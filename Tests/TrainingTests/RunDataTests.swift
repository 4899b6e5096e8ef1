import Foundation
import Testing
import Training
import Transformer

/// Data that cannot be trained on is refused before anything is written.
@Suite struct RunDataTests {
  private func sentence(_ change: (inout RunConfiguration) -> Void) throws -> String {
    let run = try TinyRun()
    change(&run.configuration)
    let error = #expect(throws: (any Error).self) { try run.prepare() }
    #expect(!FileManager.default.fileExists(atPath: run.runFolder.path))
    return "\(try #require(error))".replacing(run.folder.path, with: "DIR")
  }

  @Test func aSequenceLongerThanTheData() throws {
    #expect(
      try sentence { $0.data.sequence = 4000 }
        == "'DIR/train_000000.bin' holds 3000 tokens, fewer than data.sequence + 1 = 4001 in any "
        + "one shard; lower data.sequence or add text")
  }

  @Test func anEmptyCorpus() throws {
    let said = try sentence { configuration in
      let path = configuration.run.folder + "/empty"
      try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      configuration.data.train[0].path = path
    }
    #expect(
      said == "the folder 'DIR/empty' has no shard to train on (*train*.bin); make some with "
        + "'krait prepare'")
  }

  @Test func aPathThatIsNotThere() throws {
    #expect(
      try sentence { $0.data.train[0].path += "x" }
        == "'DIR/train_000000.binx' does not exist; give a shard, or a folder of shards made by "
        + "'krait prepare'")
  }

  @Test func aVocabularyBelowTheTokenizers() throws {
    #expect(
      try sentence { $0.model.vocabulary = 200 }
        == "the tokenizer 'bytes' has 257 ids, but model.vocabulary is 200; set it to at least "
        + "257")
  }

  @Test func evaluationOnTheTrainingTextIsSaid() throws {
    let run = try TinyRun()
    #expect(!(try RunData(run.configuration)).summary.contains("same text"))
    run.configuration.data.validation = ""
    #expect(
      try RunData(run.configuration).summary.hasSuffix(
        "; evaluated on the same text: set data.validation for held-out text"))
  }

  @Test func aFolderForRunsThatCannotBeMade() throws {
    let said = try sentence { configuration in
      configuration.run.folder += "/train_000000.bin"
    }
    #expect(
      said
        == "cannot make the folder 'DIR/train_000000.bin': File exists; move the file that is in "
        + "the way; choose another run.folder")
  }
}
