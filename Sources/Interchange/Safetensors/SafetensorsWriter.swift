import Glibc

/// A tensor to be written: its bytes are asked for when its turn comes, so that a file never needs
/// twice the memory of its largest tensor.
public struct TensorToWrite {
  /// Its name.
  public let name: String
  /// Its element type in the file.
  public let type: TensorType
  /// Its sizes, outermost first.
  public let shape: [Int]
  /// Its elements; converted to `type` when that is BF16 or F16.
  public let values: () throws -> TensorValues

  /// Describes a tensor.
  public init(
    _ name: String, _ type: TensorType, shape: [Int],
    values: @escaping () throws -> TensorValues
  ) {
    self.name = name
    self.type = type
    self.shape = shape
    self.values = values
  }

  /// Bytes in the file.
  public var byteCount: Int { shape.reduce(type.byteCount, *) }
}

/// Elements of a tensor to be written.
public enum TensorValues {
  case floats([Float])
  case int32s([Int32])
  case bytes([UInt8])
}

/// Writes safetensors files: atomically, header padded to 8 bytes.
public enum SafetensorsWriter {
  /// Writes one file.
  ///
  /// Tensors are ordered by falling alignment, then name, as the reference library does.
  /// - Throws: `InterchangeError`; nothing of the file remains then.
  public static func write(
    _ tensors: [TensorToWrite], metadata: [String: String] = [:], to path: String
  ) throws {
    let file = try AtomicFile(path)
    try write(tensors, metadata: metadata, into: file)
    try file.commit()
  }

  static func write(
    _ tensors: [TensorToWrite], metadata: [String: String], into file: AtomicFile
  ) throws {
    let ordered = tensors.sorted {
      ($1.type.byteCount, $0.name) < ($0.type.byteCount, $1.name)
    }
    precondition(Set(ordered.map(\.name)).count == ordered.count, "two tensors of one name")
    try file.write(header(ordered, metadata: metadata))
    for tensor in ordered {
      let before = file.byteCount
      try write(tensor.values(), as: tensor.type, into: file)
      precondition(
        file.byteCount - before == tensor.byteCount,
        "\(tensor.name): \(file.byteCount - before) bytes for shape \(tensor.shape)")
    }
  }

  private static func header(
    _ tensors: [TensorToWrite], metadata: [String: String]
  ) -> [UInt8] {
    var all = metadata
    all["format"] = "pt"
    let pairs = all.sorted { $0.key < $1.key }.map {
      "\(QuotedText.of($0.key)):\(QuotedText.of($0.value))"
    }
    var text = "{\"__metadata__\":{\(pairs.joined(separator: ","))}"
    var offset = 0
    for tensor in tensors {
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      text +=
        ",\(QuotedText.of(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
        + "\"data_offsets\":[\(offset),\(offset + tensor.byteCount)]}"
      offset += tensor.byteCount
    }
    text += "}"
    var bytes = Array(text.utf8)
    while bytes.count % 8 != 0 { bytes.append(0x20) }
    return withUnsafeBytes(of: UInt64(bytes.count).littleEndian, Array.init) + bytes
  }

  static func write(
    _ values: TensorValues, as type: TensorType, into file: AtomicFile
  ) throws {
    switch values {
    case .bytes(let bytes): try file.write(bytes)
    case .int32s(let integers):
      precondition(type == .int32, "Int32 values as \(type.rawValue)")
      try integers.withUnsafeBytes { try file.write($0) }
    case .floats(let floats):
      switch type {
      case .float32: try floats.withUnsafeBytes { try file.write($0) }
      case .bfloat16:
        try floats.map(HalfPrecision.bfloat16).withUnsafeBytes { try file.write($0) }
      case .float16:
        try floats.map(HalfPrecision.float16).withUnsafeBytes { try file.write($0) }
      default: preconditionFailure("Float values as \(type.rawValue)")
      }
    }
  }
}
