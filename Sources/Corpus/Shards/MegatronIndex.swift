import Glibc

/// Megatron's `.idx`: magic, version, type code, sequence lengths, byte pointers, documents.
///
/// Krait reads the tokens of all sequences back to back, as they lie in the `.bin`.
/// Source of the format: NVIDIA/Megatron-LM, `megatron/core/datasets/indexed_dataset.py`.
enum MegatronIndex {
  private static let magic = Array("MMIDIDX\0\0".utf8)
  private static let headerBytes = 34

  static func indexPath(_ path: String) -> String? {
    path.hasSuffix(".bin") ? String(path.dropLast(4)) + ".idx" : nil
  }

  static func exists(beside path: String) -> Bool {
    guard let index = indexPath(path) else { return false }
    return access(index, F_OK) == 0
  }

  static func shard(_ path: String) throws -> TokenShard {
    guard let indexPath = indexPath(path) else {
      throw CorpusError("'\(path)' does not end in .bin")
    }
    let index = try MappedFile(indexPath)
    let data = try MappedFile(path)
    guard index.bytes.count >= headerBytes else {
      throw CorpusError(
        "'\(indexPath)' has \(index.bytes.count) bytes, less than the \(headerBytes) of an "
          + "index header; it was cut off: prepare the data set again")
    }
    guard index.bytes.prefix(magic.count).elementsEqual(magic) else {
      throw CorpusError("'\(indexPath)' does not start with MMIDIDX; it is no Megatron index")
    }
    let version = index.integer(at: 9, as: UInt64.self)
    guard version == 1 else {
      throw CorpusError("'\(indexPath)' is version \(version) of the index; Krait reads 1")
    }
    let code = index.integer(at: 17, as: UInt8.self)
    guard let width = width(code) else {
      throw CorpusError(
        "'\(indexPath)' says type code \(code); tokens must be uint8, int32, int64 or uint16 "
          + "(codes 1, 4, 5, 8)")
    }
    let sequences = index.integer(at: 18, as: UInt64.self)
    let documents = index.integer(at: 26, as: UInt64.self)
    try checkSize(index, sequences: sequences, documents: documents)
    let tokens = try checkSequences(
      index, sequences: Int(sequences), width: width.rawValue, dataBytes: data.bytes.count,
      dataPath: path)
    return TokenShard(
      file: data, offset: 0, count: tokens, width: width, format: "Megatron \(width)")
  }

  private static func width(_ code: UInt8) -> TokenShard.Width? {
    switch code {
    case 1: .uint8
    case 4: .int32
    case 5: .int64
    case 8: .uint16
    default: nil
    }
  }

  private static func checkSize(
    _ index: MappedFile, sequences: UInt64, documents: UInt64
  ) throws {
    let (perSequence, overflow1) = sequences.multipliedReportingOverflow(by: 12)
    let (perDocument, overflow2) = documents.multipliedReportingOverflow(by: 8)
    let (sum, overflow3) = perSequence.addingReportingOverflow(perDocument)
    let (expected, overflow4) = sum.addingReportingOverflow(UInt64(headerBytes))
    let actual = UInt64(index.bytes.count)
    // A multimodal index has one more byte per sequence.
    let withModes = expected.addingReportingOverflow(sequences)
    guard !(overflow1 || overflow2 || overflow3 || overflow4),
      actual == expected || (!withModes.overflow && actual == withModes.partialValue)
    else {
      throw CorpusError(
        "'\(index.path)' promises \(sequences) sequences and \(documents) documents, but has "
          + "\(actual) bytes, which does not fit; it was cut off or damaged")
    }
  }

  private static func checkSequences(
    _ index: MappedFile, sequences: Int, width: Int, dataBytes: Int, dataPath: String
  ) throws -> Int {
    var next = 0
    for sequence in 0..<sequences {
      let length = Int(index.integer(at: headerBytes + 4 * sequence, as: Int32.self))
      let pointer = index.integer(
        at: headerBytes + 4 * sequences + 8 * sequence, as: Int64.self)
      guard length >= 0 && pointer == Int64(next) else {
        throw CorpusError(
          "'\(index.path)': sequence \(sequence) has length \(length) and starts at byte "
            + "\(pointer), but the one before ends at \(next); the index is damaged")
      }
      next += length * width
    }
    guard next == dataBytes else {
      throw CorpusError(
        "'\(dataPath)' has \(dataBytes) bytes, but its index describes \(next); one of the two "
          + "was cut off or belongs to another data set")
    }
    return next / width
  }
}
