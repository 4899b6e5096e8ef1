import Corpus
import Foundation
import Interchange

/// A run keeps the tokenizer it was started with, so that it can be used wherever it is moved.
extension RunFolder {
  var tokenizerPath: String { path + "/" + PreparedFolder.tokenizerName }

  /// Copies a `tokenizer.json` into the run; bytes need none.
  func keep(_ tokenizer: (any Tokenizer)?) throws {
    guard let tokenizer = tokenizer as? BPETokenizer else { return }
    guard let contents = FileManager.default.contents(atPath: tokenizer.name) else {
      throw TrainingError("cannot read the tokenizer '\(tokenizer.name)'")
    }
    try AtomicFile.write(
      TokenizerConfigFile.text(endOfText: tokenizer.endOfTextContent),
      to: path + "/" + TokenizerConfigFile.fileName)
    try AtomicFile.write([UInt8](contents), to: tokenizerPath)
  }

  /// The tokenizer that the run keeps; nil when it keeps none.
  func tokenizer() throws -> (any Tokenizer)? {
    guard FileManager.default.fileExists(atPath: tokenizerPath) else { return nil }
    return try BPETokenizer(tokenizerPath)
  }
}
