import Corpus
import Foundation

/// A `tokenizer.json`: its size, its end-of-text token; with `--encode`, the ids of a text.
enum TokenizerInspection: Inspection {
  static let kind = "byte-level BPE tokenizers (tokenizer.json)"

  static func recognises(_ path: String) -> Bool { path.hasSuffix("tokenizer.json") }

  static func inspect(_ path: String, _ options: InspectOptions) throws {
    let tokenizer = try BPETokenizer(path)
    if let input = options.encode {
      guard let bytes = FileManager.default.contents(atPath: input) else {
        throw CleanError("cannot read '\(input)'")
      }
      try encode(bytes, tokenizer, perText: options.separator)
      return
    }
    print("file            \(path)")
    print("format          byte-level BPE, \(tokenizer.patternName)")
    print("vocabulary      \(tokenizer.vocabularySize) ids, so model.vocabulary at least that")
    if let end = tokenizer.endOfText, let content = tokenizer.endOfTextContent {
      print("end of text     \(end), '\(content)'")
    } else {
      print("end of text     none that is known; name one with --end-of-text when preparing")
    }
  }

  /// One line of ids for each text of a file; texts end at the separator byte.
  private static func encode(_ bytes: Data, _ tokenizer: BPETokenizer, perText: Int?) throws {
    let encoder = tokenizer.encoder()
    var output: [UInt8] = []
    let texts =
      perText.map { code in
        bytes.split(separator: UInt8(truncatingIfNeeded: code), omittingEmptySubsequences: false)
      } ?? [bytes]
    for text in texts {
      var ids: [UInt32] = []
      Array(text).withUnsafeBufferPointer { encoder.append($0, to: &ids) }
      let decoded = tokenizer.decode(ids)
      guard !tokenizer.isLossless || decoded.elementsEqual(text) else {
        throw CleanError("decoding the ids of a text of \(text.count) bytes gave another text")
      }
      output += ids.map(String.init).joined(separator: " ").utf8
      output.append(0x0A)
      if output.count > 1 << 20 {
        FileHandle.standardOutput.write(Data(output))
        output.removeAll(keepingCapacity: true)
      }
    }
    FileHandle.standardOutput.write(Data(output))
  }
}
