import Foundation
import Interchange

/// A safetensors file: its metadata and its tensors.
enum SafetensorsInspection: Inspection {
  static let kind = "tensors (*.safetensors)"

  static func recognises(_ path: String) -> Bool { path.hasSuffix(".safetensors") }

  static func inspect(_ path: String, _ options: InspectOptions) throws {
    let file = try SafetensorsFile(path)
    print("file       \(path)")
    print("format     safetensors, valid")
    for (key, value) in file.metadata.sorted(by: { $0.key < $1.key }) {
      print("metadata   \(key) = \(value)")
    }
    var table = TensorTable(values: options.values)
    for entry in file.entries {
      try table.add(entry.name, entry.type, entry.shape) { try file.floats(entry.name) }
    }
    table.show()
  }
}

/// A GGUF file: its metadata and its tensors.
enum GGUFInspection: Inspection {
  static let kind = "llama.cpp models (*.gguf)"

  static func recognises(_ path: String) -> Bool { path.hasSuffix(".gguf") }

  static func inspect(_ path: String, _ options: InspectOptions) throws {
    let file = try GGUFFile(path)
    print("file       \(path)")
    print("format     GGUF, valid")
    for (key, value) in file.metadata { print("metadata   \(key) = \(value.summary)") }
    var table = TensorTable(values: options.values)
    for entry in file.entries {
      try table.add(entry.name, entry.type, entry.shape) { try file.floats(entry) }
    }
    table.show()
  }
}

/// Tensors, one a line, and their sums.
struct TensorTable {
  private let showsValues: Bool
  private var table: TextTable
  private var count = 0
  private var elements = 0
  private var bytes = 0

  init(values: Bool) {
    showsValues = values
    table = TextTable(
      ["tensor", "type", "shape"] + (values ? ["root mean square", "largest"] : []))
  }

  mutating func add(
    _ name: String, _ type: TensorType?, _ shape: [Int], values: () throws -> [Float]
  ) throws {
    var row = [
      name, type?.rawValue ?? "other", shape.map(String.init).joined(separator: " x "),
    ]
    if showsValues {
      if let type, [.float32, .float16, .bfloat16].contains(type) {
        row += TensorTable.statistics(try values())
      } else {
        row += ["", ""]
      }
    }
    table.add(row)
    count += 1
    let size = shape.reduce(1, *)
    elements += size
    bytes += size * (type?.byteCount ?? 0)
  }

  func show() {
    print("tensors    \(count), \(elements) numbers, \(bytes) bytes\n")
    print(table.text)
  }

  /// Root mean square and the largest magnitude; how many are not finite instead, if any are.
  private static func statistics(_ values: [Float]) -> [String] {
    let bad = values.count { !$0.isFinite }
    guard bad == 0 else { return ["\(bad) not finite", ""] }
    let sum = values.reduce(0.0) { $0 + Double($1) * Double($1) }
    let largest = values.reduce(Float(0)) { max($0, abs($1)) }
    return [
      fixed((sum / Double(max(1, values.count))).squareRoot(), 6), fixed(Double(largest), 6),
    ]
  }
}
