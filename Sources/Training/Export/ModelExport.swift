import Compute
import Corpus
import FeedForward
public import Interchange
import Transformer

/// Writes a model in other programs' formats, reads it back, and compares before it appears.
///
/// The model is changed on the way: its parameters become what the file says, rounded to the
/// file's type.
public struct ModelExport {
  /// What was written and verified.
  public struct Report: Sendable, Equatable {
    /// Where it is.
    public let path: String
    /// Names and sizes of the files.
    public let files: [String: Int]
    /// Tensors that were read back and found equal, bit for bit.
    public let tensors: Int
    /// Tokens whose logits the reloaded model gave equally.
    public let probedTokens: Int
    /// Largest change of a logit by rounding to the file's type.
    public let logitChange: Float

    /// Bytes of all files.
    public var byteCount: Int { files.values.reduce(0, +) }
  }

  let loaded: LoadedModel
  let type: TensorType
  let name: String
  let notes: [String: String]

  /// Prepares an export.
  ///
  /// - Parameters:
  ///   - loaded: the model; its parameters are rounded to `type`.
  ///   - type: of the tensors: F32, BF16 or F16.
  ///   - name: of the model, for people.
  ///   - writer: the program and version that writes.
  public init(_ loaded: LoadedModel, type: TensorType, name: String, writer: String) {
    precondition([.float32, .bfloat16, .float16].contains(type), "an export as \(type.rawValue)")
    self.loaded = loaded
    self.type = type
    self.name = name
    var notes = ["writer": writer, "name": name]
    if loaded.tokenizer.name == "bytes" { notes["tokenizer"] = "bytes" }
    if let step = loaded.step { notes["step"] = "\(step)" }
    if let configuration = loaded.configuration {
      notes["feed_forward_mode"] = configuration.feedForward.mode.rawValue
    }
    self.notes = notes
  }

  /// The tokens whose logits are compared: spread over the vocabulary.
  var probe: [Int32] {
    let vocabulary = loaded.model.configuration.vocabulary
    return (0..<min(16, max(1, loaded.sequenceLength))).map { index in
      Int32((index * 7919 + 17) % vocabulary)
    }
  }

  var config: ArceeConfig {
    ArceeConfig(
      loaded.model.configuration, positions: loaded.sequenceLength,
      endOfText: loaded.tokenizer.endOfText, type: type, notes: notes)
  }

  /// Rounds the parameters to what the file will hold and returns the logits before and after.
  func round(
    _ type: (StandardTensors.Entry) -> TensorType
  ) throws -> (change: Float, logits: [Float]) {
    let before = try loaded.logits(probe)
    let standard = StandardTensors(loaded.model)
    for entry in standard.entries {
      let fileType = type(entry)
      let values = try standard.read(entry).map { HalfPrecision.rounded($0, to: fileType) }
      guard values.allSatisfy(\.isFinite) else {
        throw TrainingError(
          "the tensor '\(entry.name)' holds a number that is not finite as \(fileType.rawValue); "
            + (fileType == .float16
              ? "use another --type" : "export an earlier checkpoint of the run"))
      }
      if fileType != .float32 { try standard.write(values, to: entry) }
    }
    let after = try loaded.logits(probe)
    let change = zip(before, after).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
    return (change, after)
  }

  /// Compares tensors that were read back with the parameters, then puts them in their place and
  /// compares logits.
  ///
  /// - Returns: the number of tensors.
  func verify(
    _ path: String, logits: [Float], values: (StandardTensors.Entry) throws -> [Float]
  ) throws -> Int {
    let standard = StandardTensors(loaded.model)
    for entry in standard.entries {
      let same = zip(try values(entry), try standard.read(entry)).allSatisfy {
        $0.bitPattern == $1.bitPattern
      }
      guard same else {
        throw TrainingError(
          "'\(path)' was read back and the tensor '\(entry.name)' is not what was written; the "
            + "disk may be failing, and nothing was kept")
      }
    }
    try loaded.model.backend.zero(loaded.model.parameters.all)
    for entry in standard.entries { try standard.write(try values(entry), to: entry) }
    guard try loaded.logits(probe) == logits else {
      throw TrainingError(
        "'\(path)' was read back and gives other logits than the model it was written from; "
          + "nothing was kept")
    }
    return standard.entries.count
  }
}
