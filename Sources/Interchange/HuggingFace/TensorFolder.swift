import Glibc

/// The tensors of a Hugging Face folder: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` lists.
public final class TensorFolder: Sendable {
  /// The folder.
  public let path: String
  /// All tensors, file by file.
  public let entries: [SafetensorsFile.Entry]
  /// The files, in the order of their names.
  public let files: [SafetensorsFile]
  private let fileOfTensor: [String: Int]

  static let singleName = "model.safetensors"
  static let indexName = "model.safetensors.index.json"

  /// Opens and checks every file.
  ///
  /// - Throws: `InterchangeError` when a file is missing or damaged, or the index and the files
  ///   disagree; it names the tensor.
  public init(_ path: String) throws {
    self.path = path
    let indexPath = path + "/" + TensorFolder.indexName
    let singlePath = path + "/" + TensorFolder.singleName
    var map: [String: String]?
    var names = [TensorFolder.singleName]
    if access(indexPath, F_OK) == 0 {
      let weights = try TensorFolder.weightMap(indexPath)
      names = Set(weights.values).sorted()
      map = weights
    } else if access(singlePath, F_OK) != 0 {
      throw InterchangeError(
        "'\(path)' holds neither \(TensorFolder.singleName) nor \(TensorFolder.indexName); save "
          + "the model as safetensors")
    }
    files = try names.map { try SafetensorsFile(path + "/" + $0) }
    entries = files.flatMap(\.entries)
    var owner: [String: Int] = [:]
    for (index, file) in files.enumerated() {
      for entry in file.entries {
        if let other = owner.updateValue(index, forKey: entry.name) {
          throw InterchangeError(
            "the tensor '\(entry.name)' is in '\(files[other].path)' and in '\(file.path)'")
        }
        if let map, map[entry.name] != names[index] {
          throw InterchangeError(
            "'\(file.path)' holds the tensor '\(entry.name)', but '\(indexPath)' "
              + (map[entry.name].map { "places it in \($0)" } ?? "does not list it"))
        }
      }
    }
    if let missing = map?.keys.sorted().first(where: { owner[$0] == nil }) {
      throw InterchangeError(
        "'\(indexPath)' lists the tensor '\(missing)', but its file does not hold it")
    }
    fileOfTensor = owner
  }

  /// The entry of a name, or nil.
  public func entry(_ name: String) -> SafetensorsFile.Entry? {
    fileOfTensor[name].flatMap { files[$0].entry(name) }
  }

  /// A tensor of a floating-point type as Floats; see `SafetensorsFile.floats`.
  public func floats(_ name: String, count: Int? = nil) throws -> [Float] {
    guard let index = fileOfTensor[name] else {
      throw InterchangeError("'\(path)' has no tensor '\(name)'")
    }
    return try files[index].floats(name, count: count)
  }

  private static func weightMap(_ path: String) throws -> [String: String] {
    let json = try StrictJSON.Value.read(path)
    guard case .object(let members) = json["weight_map"], !members.isEmpty else {
      throw InterchangeError("'\(path)' has no weight_map")
    }
    var result: [String: String] = [:]
    for (tensor, member) in members {
      // A name with a slash could lead out of the folder.
      guard case .string(let file) = member, !file.isEmpty, !file.contains("/") else {
        throw InterchangeError(
          "'\(path)' does not place the tensor '\(tensor)' in a file of the same folder")
      }
      result[tensor] = file
    }
    return result
  }
}

/// Writes the tensors of a Hugging Face folder, in one file or in shards with an index.
public enum TensorFolderWriter {
  /// Hugging Face's customary size of a shard, in bytes.
  public static let customaryShardBytes = 5_000_000_000

  /// Writes `model.safetensors`, or `model-00001-of-0000N.safetensors` and their index when the
  /// tensors take more than `shardBytes`. A tensor is never cut.
  ///
  /// - Returns: the names of the files.
  /// - Throws: `InterchangeError`; files already written stay, so write into a temporary folder.
  public static func write(
    _ tensors: [TensorToWrite], folder: String, shardBytes: Int = customaryShardBytes
  ) throws -> [String] {
    let total = tensors.reduce(0) { $0 + $1.byteCount }
    let shards = split(tensors, shardBytes: shardBytes)
    guard shards.count > 1 else {
      try SafetensorsWriter.write(tensors, to: folder + "/" + TensorFolder.singleName)
      return [TensorFolder.singleName]
    }
    var names: [String] = []
    var map: [(String, StrictJSON.Value)] = []
    for (index, shard) in shards.enumerated() {
      let name = "model-\(digits(index + 1))-of-\(digits(shards.count)).safetensors"
      try SafetensorsWriter.write(shard, to: folder + "/" + name)
      names.append(name)
      map += shard.map { ($0.name, .string(name)) }
    }
    let index = StrictJSON.Value.object([
      ("metadata", .object([("total_size", .integer(total))])),
      ("weight_map", .object(map.sorted { $0.0 < $1.0 })),
    ])
    try AtomicFile.write(index.text, to: folder + "/" + TensorFolder.indexName)
    return names + [TensorFolder.indexName]
  }

  private static func split(
    _ tensors: [TensorToWrite], shardBytes: Int
  ) -> [[TensorToWrite]] {
    var shards: [[TensorToWrite]] = []
    var bytes = 0
    for tensor in tensors {
      if shards.isEmpty || bytes + tensor.byteCount > shardBytes {
        shards.append([])
        bytes = 0
      }
      shards[shards.count - 1].append(tensor)
      bytes += tensor.byteCount
    }
    return shards
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}
