import Foundation

/// The JSON header of a safetensors file, parsed by the letter of the format.
///
/// Source: huggingface/safetensors, `README.md`, section Format. Stricter than the reference
/// library where it is laxer than its own text: a leading space and repeated keys are refused.
struct SafetensorsHeader {
  struct Tensor {
    let name: String
    let type: TensorType
    let shape: [Int]
    let range: Range<Int>
  }

  /// Largest header that is accepted, in bytes.
  static let limit = 100_000_000

  let tensors: [Tensor]
  let metadata: [String: String]
  /// Bytes before the data.
  let dataOffset: Int

  init(_ file: MappedBytes) throws {
    func refuse(_ sentence: String) -> InterchangeError {
      InterchangeError("'\(file.path)' is not a valid safetensors file: \(sentence)")
    }
    let bytes = file.bytes
    guard bytes.count >= 8 else {
      throw refuse("it has \(bytes.count) bytes, fewer than the 8 of the header length")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(SafetensorsHeader.limit) else {
      throw refuse(
        "it announces a header of \(length) bytes; \(SafetensorsHeader.limit) at most are read")
    }
    guard Int(length) <= bytes.count - 8 else {
      throw refuse(
        "it announces a header of \(length) bytes, but only \(bytes.count - 8) follow; "
          + "it was cut off")
    }
    let header = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + Int(length)])
    guard header.first == UInt8(ascii: "{") else {
      throw refuse("its header does not start with {")
    }
    var scanner = StrictJSON(header)
    let value: StrictJSON.Value
    do {
      value = try scanner.parse()
    } catch let error as StrictJSON.Failure {
      throw refuse("its header is not JSON: \(error.sentence)")
    }
    guard case .object(let members) = value else { throw refuse("its header is no object") }

    var tensors: [Tensor] = []
    var metadata: [String: String] = [:]
    for (name, member) in members {
      if name == "__metadata__" {
        guard case .object(let pairs) = member else { throw refuse("__metadata__ is no object") }
        for (key, text) in pairs {
          guard case .string(let text) = text else {
            throw refuse("the metadata '\(key)' is not a string")
          }
          metadata[key] = text
        }
        continue
      }
      do {
        tensors.append(try SafetensorsHeader.tensor(name, member))
      } catch let error as StrictJSON.Failure {
        throw refuse("the tensor '\(name)' \(error.sentence)")
      }
    }
    let dataBytes = bytes.count - 8 - Int(length)
    var next = 0
    for tensor in tensors.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard tensor.range.lowerBound == next else {
        throw refuse(
          "the tensor '\(tensor.name)' starts at byte \(tensor.range.lowerBound), but the one "
            + "before ends at \(next)")
      }
      next = tensor.range.upperBound
    }
    guard next == dataBytes else {
      throw refuse(
        "its tensors cover \(next) bytes, but it holds \(dataBytes); it was cut off "
          + "or something was appended")
    }
    self.tensors = tensors
    self.metadata = metadata
    dataOffset = 8 + Int(length)
  }

  private static func tensor(_ name: String, _ value: StrictJSON.Value) throws -> Tensor {
    guard case .object(let members) = value else { throw StrictJSON.Failure("is no object") }
    var type: TensorType?
    var shape: [Int]?
    var offsets: [Int]?
    for (key, member) in members {
      switch key {
      case "dtype":
        guard case .string(let text) = member, let known = TensorType(rawValue: text) else {
          throw StrictJSON.Failure("has an unknown dtype")
        }
        type = known
      case "shape": shape = try integers(member, "shape")
      case "data_offsets": offsets = try integers(member, "data_offsets")
      default: break
      }
    }
    guard let type else { throw StrictJSON.Failure("has no dtype") }
    guard let shape else { throw StrictJSON.Failure("has no shape") }
    guard let offsets, offsets.count == 2 else {
      throw StrictJSON.Failure("has no pair of data_offsets")
    }
    guard offsets[0] <= offsets[1] else {
      throw StrictJSON.Failure("starts at byte \(offsets[0]) and ends at \(offsets[1])")
    }
    var size = type.byteCount
    for extent in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else {
        throw StrictJSON.Failure("has the shape \(shape), too large to be true")
      }
      size = product
    }
    guard size == offsets[1] - offsets[0] else {
      throw StrictJSON.Failure(
        "of shape \(shape) and type \(type.rawValue) needs \(size) bytes, but its offsets span "
          + "\(offsets[1] - offsets[0])")
    }
    return Tensor(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  private static func integers(_ value: StrictJSON.Value, _ key: String) throws -> [Int] {
    guard case .array(let items) = value else {
      throw StrictJSON.Failure("has a \(key) that is no list")
    }
    return try items.map {
      guard case .number(let text) = $0, let number = Int(text), number >= 0 else {
        throw StrictJSON.Failure("has a \(key) entry that is not a whole number of 0 or more")
      }
      return number
    }
  }
}
