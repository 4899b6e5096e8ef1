/// Writes GGUF files, version 3, little-endian, atomically.
///
/// Layout: magic, version, the numbers of tensors and of metadata pairs; the pairs; name, sizes
/// (innermost first), type and offset of every tensor; the data, every tensor on a multiple of the
/// alignment.
public enum GGUFWriter {
  /// What every tensor's first byte is a multiple of.
  public static let alignment = 32
  static let magic = Array("GGUF".utf8)
  static let version: UInt32 = 3

  /// Writes one file.
  ///
  /// - Throws: `InterchangeError`; nothing of the file remains then.
  public static func write(
    _ tensors: [TensorToWrite], metadata: [(String, GGUFValue)], to path: String
  ) throws {
    precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors of one name")
    let file = try AtomicFile(path)
    try file.write(header(tensors, metadata: metadata))
    try pad(file)
    for tensor in tensors {
      let before = file.byteCount
      try SafetensorsWriter.write(tensor.values(), as: tensor.type, into: file)
      precondition(
        file.byteCount - before == tensor.byteCount,
        "\(tensor.name): \(file.byteCount - before) bytes for shape \(tensor.shape)")
      try pad(file)
    }
    try file.commit()
  }

  private static func header(
    _ tensors: [TensorToWrite], metadata: [(String, GGUFValue)]
  ) -> [UInt8] {
    var bytes = magic + GGUFValue.littleEndian(version)
    bytes += GGUFValue.littleEndian(UInt64(tensors.count))
    bytes += GGUFValue.littleEndian(UInt64(metadata.count))
    for (key, value) in metadata {
      bytes += GGUFValue.text(key) + GGUFValue.littleEndian(value.typeNumber) + value.bytes
    }
    var offset = 0
    for tensor in tensors {
      guard let type = tensor.type.ggufNumber else {
        preconditionFailure("GGUF has no type \(tensor.type.rawValue)")
      }
      bytes += GGUFValue.text(tensor.name) + GGUFValue.littleEndian(UInt32(tensor.shape.count))
      for extent in tensor.shape.reversed() { bytes += GGUFValue.littleEndian(UInt64(extent)) }
      bytes += GGUFValue.littleEndian(type) + GGUFValue.littleEndian(UInt64(offset))
      offset += tensor.byteCount + padding(after: tensor.byteCount)
    }
    return bytes
  }

  static func padding(after count: Int) -> Int { (alignment - count % alignment) % alignment }

  private static func pad(_ file: AtomicFile) throws {
    try file.write([UInt8](repeating: 0, count: padding(after: file.byteCount)))
  }
}
