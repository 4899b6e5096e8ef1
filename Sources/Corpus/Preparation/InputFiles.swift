import Foundation

/// A file to prepare.
package struct InputFile: Sendable, Equatable {
  /// How documents lie in it.
  package enum Format: Sendable, Equatable {
    /// The file is one document, or several with a separator between them.
    case text
    /// One JSON object a line, with the text in a field.
    case lines
  }

  package let path: String
  package let byteCount: Int
  package let format: Format
}

/// Finds the files that a user means, always in the same order.
package enum InputFiles {
  /// The files of some inputs: files as they are named, folders searched for names with one of
  /// some endings, sorted; hidden names and links to folders are left out.
  ///
  /// - Throws: `CorpusError` for an input that is not there, is empty of text, or is compressed.
  package static func find(_ inputs: [String], extensions: [String]) throws -> [InputFile] {
    let endings = extensions.map { $0.hasPrefix(".") ? $0 : "." + $0 }
    var files: [InputFile] = []
    for input in inputs {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: input, isDirectory: &isFolder) else {
        throw CorpusError("'\(input)' does not exist; give text files, folders or .jsonl files")
      }
      if !isFolder.boolValue {
        files.append(try file(input))
        continue
      }
      let before = files.count
      try search(input, endings: endings, into: &files)
      guard files.count > before else {
        throw CorpusError(
          "the folder '\(input)' has no file that ends in \(endings.joined(separator: ", ")); "
            + "name others with --extension")
      }
    }
    guard files.contains(where: { $0.byteCount > 0 }) else {
      throw CorpusError("the input holds no text: \(files.count) files, all empty")
    }
    return files
  }

  private static func search(
    _ folder: String, endings: [String], into files: inout [InputFile]
  ) throws {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw CorpusError("cannot list the folder '\(folder)': \(error.localizedDescription)")
    }
    // By bytes: the order must not depend on the language of the machine.
    let sorted = names.filter { !$0.hasPrefix(".") }.sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    for name in sorted {
      let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue {
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == nil {
          try search(path, endings: endings, into: &files)
        }
      } else if endings.contains(where: { name.hasSuffix($0) }) {
        files.append(try file(path))
      }
    }
  }

  private static func file(_ path: String) throws -> InputFile {
    let mapped = try MappedFile(path)
    let start = Array(mapped.bytes.prefix(4))
    for (magic, name) in [([0x1F, 0x8B], "gzip"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd")]
      as [([UInt8], String)] where start.starts(with: magic)
    {
      throw CorpusError("'\(path)' is compressed with \(name); unpack it first")
    }
    let isLines = path.hasSuffix(".jsonl") || path.hasSuffix(".ndjson")
    return InputFile(
      path: path, byteCount: mapped.bytes.count, format: isLines ? .lines : .text)
  }
}
