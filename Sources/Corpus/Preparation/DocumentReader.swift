import Glibc

/// A piece of work: a document, or a part of a long one.
struct Document: Sendable {
  /// Where its bytes are; keeps them mapped.
  let file: MappedFile
  let range: Range<Int>
  let format: InputFile.Format
  /// From 1; for messages about JSON lines.
  let line: Int
  /// Whether the end-of-text token goes before it.
  let isStart: Bool
  /// From 0, over all inputs.
  let index: Int
  let part: HeldOut.Part

  var bytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: file.bytes.bindMemory(to: UInt8.self)[range])
  }
}

/// Cuts input files into documents, batch by batch, always the same way.
struct DocumentReader {
  /// Bytes of a batch, unless a single document is longer.
  private static let batchBytes = 1 << 18
  /// A text document longer than this is cut into parts that are encoded side by side.
  private static let longDocument = 1 << 20

  private let files: [InputFile]
  private let separator: [UInt8]
  private let cuts: Bool
  private let heldOut: HeldOut
  private var fileIndex = 0
  private var file: MappedFile?
  private var position = 0
  private var line = 0
  private var documentIndex = 0
  private var waiting: [Document] = []

  /// A reader at the start of some files.
  ///
  /// - Parameters:
  ///   - separator: what stands between the documents of a text file; empty for none.
  ///   - cuts: whether long documents may be cut where a line begins with an ASCII letter; every
  ///     known way of splitting text cuts there too.
  init(_ files: [InputFile], separator: String, cuts: Bool, heldOut: HeldOut) {
    self.files = files
    self.separator = Array(separator.utf8)
    self.cuts = cuts
    self.heldOut = heldOut
  }

  /// The number of documents, found without reading them closely.
  static func count(_ files: [InputFile], separator: String) throws -> Int {
    var reader = DocumentReader(files, separator: separator, cuts: false, heldOut: .none)
    var count = 0
    while let batch = try reader.next() { count += batch.count }
    return count
  }

  /// The next documents, some hundred kilobytes of them; nil at the end.
  mutating func next() throws -> [Document]? {
    var batch: [Document] = []
    var bytes = 0
    while bytes < DocumentReader.batchBytes {
      if waiting.isEmpty, try !readDocument() { break }
      let document = waiting.removeFirst()
      bytes += document.range.count
      batch.append(document)
    }
    return batch.isEmpty ? nil : batch
  }

  /// Puts the parts of the next document that is not empty into `waiting`.
  private mutating func readDocument() throws -> Bool {
    while true {
      guard let file, position < file.bytes.count else {
        guard try openNext() else { return false }
        continue
      }
      let format = files[fileIndex - 1].format
      let range = nextRange(file, format)
      guard !range.isEmpty else { continue }
      let part = heldOut.part(of: documentIndex)
      add(file, range, format, part)
      documentIndex += 1
      return true
    }
  }

  private mutating func openNext() throws -> Bool {
    guard fileIndex < files.count else { return false }
    file = try MappedFile(files[fileIndex].path)
    fileIndex += 1
    position = 0
    line = 0
    return true
  }

  /// Steps over the next document of a file; blank lines of JSON are no documents.
  private mutating func nextRange(
    _ file: MappedFile, _ format: InputFile.Format
  ) -> Range<Int> {
    let bytes = file.bytes
    let start = position
    switch format {
    case .lines:
      let end = DocumentReader.find([0x0A], bytes, from: start)
      position = end + 1
      line += 1
      let isBlank = bytes[start..<end].allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
      return isBlank ? end..<end : start..<end
    case .text:
      guard !separator.isEmpty else {
        position = bytes.count
        return start..<bytes.count
      }
      let end = DocumentReader.find(separator, bytes, from: start)
      position = end + separator.count
      return start..<end
    }
  }

  /// Where some bytes come next; the end when they do not.
  static func find(_ wanted: [UInt8], _ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    guard let base = bytes.baseAddress, let first = wanted.first else { return bytes.count }
    var position = start
    while position + wanted.count <= bytes.count,
      let found = memchr(base + position, Int32(first), bytes.count - position)
    {
      position = UnsafeRawPointer(found) - base
      guard position + wanted.count <= bytes.count else { break }
      if memcmp(base + position, wanted, wanted.count) == 0 { return position }
      position += 1
    }
    return bytes.count
  }

  /// Adds a document; of a text, the tail that is held out is a document of its own.
  private mutating func add(
    _ file: MappedFile, _ range: Range<Int>, _ format: InputFile.Format, _ part: HeldOut.Part
  ) {
    guard format == .text, case .tail(let share) = part else {
      append(file, range, format, part)
      return
    }
    let bytes = UnsafeBufferPointer(
      rebasing: file.bytes.bindMemory(to: UInt8.self)[range])
    let cut = range.lowerBound + HeldOut.cut(bytes, share: share)
    if cut > range.lowerBound { append(file, range.lowerBound..<cut, format, .train) }
    if cut < range.upperBound { append(file, cut..<range.upperBound, format, .validation) }
  }

  private mutating func append(
    _ file: MappedFile, _ range: Range<Int>, _ format: InputFile.Format, _ part: HeldOut.Part
  ) {
    var start = range.lowerBound
    while start < range.upperBound {
      var end = range.upperBound
      if cuts && format == .text && end - start > DocumentReader.longDocument {
        end = DocumentReader.lineStart(
          file.bytes, from: start + DocumentReader.longDocument / 2, to: end)
      }
      waiting.append(
        Document(
          file: file, range: start..<end, format: format, line: line,
          isStart: start == range.lowerBound, index: documentIndex, part: part))
      start = end
    }
  }

  /// The next line, at or after a position, that begins with an ASCII letter.
  private static func lineStart(
    _ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int
  ) -> Int {
    var position = start
    while position < end {
      if bytes[position - 1] == 0x0A, (0x61...0x7A).contains(bytes[position] | 0x20) {
        return position
      }
      position += 1
    }
    return end
  }
}
