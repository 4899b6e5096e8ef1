import ArgumentParser
import Compute
import Foundation
import Interchange
import Training

/// Writes a model for other programs.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a model for Transformers or llama.cpp, reads it back and verifies it.",
    discussion: """
      krait export runs/tiny --format hf exported          Transformers, vLLM, SGLang
      krait export runs/tiny --format gguf tiny.gguf       llama.cpp
      krait export exported --format gguf --type f16 .     from a Hugging Face folder

      Nothing appears under the given name before every tensor was read back and found equal, and \
      a model loaded from it gave the same logits.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case hf, gguf }
  enum Precision: String, ExpressibleByArgument, CaseIterable {
    case f32, bf16, f16

    var type: TensorType {
      switch self {
      case .f32: .float32
      case .bf16: .bfloat16
      case .f16: .float16
      }
    }
  }

  @Argument(help: "A run folder, or a Hugging Face folder.", completion: .directory)
  var source: String
  @Argument(help: "The new folder; for gguf a folder, or a file name that ends in .gguf.")
  var destination: String
  @Option(help: "hf or gguf.") var format: Format
  @Option(help: "Type of the numbers: f32, bf16 or f16.") var type = Precision.f32
  @Option(help: "Largest size of a safetensors file, in bytes; more makes shards.")
  var shardBytes = TensorFolderWriter.customaryShardBytes
  @Option(help: "Name of the model in the file; default: the name of the source folder.")
  var name: String?
  @OptionGroup var machine: BackendOptions

  func validate() throws {
    if shardBytes < 1 {
      throw ValidationError("--shard-bytes is \(shardBytes); it must be at least 1")
    }
  }

  func run() throws {
    let loaded = try ModelSource.open(source, on: machine.open())
    let export = ModelExport(
      loaded, type: type.type, name: name ?? URL(fileURLWithPath: source).lastPathComponent,
      writer: "krait \(KraitVersion.text)")
    let report =
      switch format {
      case .hf: try export.huggingFace(to: destination, shardBytes: shardBytes)
      case .gguf: try export.gguf(to: destination)
      }
    print("model     \(loaded.summary)")
    print("written   \(report.path)")
    for (name, bytes) in report.files.sorted(by: { $0.key < $1.key }) {
      print("          \(name), \(bytes) bytes")
    }
    print(
      "verified  \(report.tensors) tensors read back equal, logits of \(report.probedTokens) "
        + "tokens equal through a reloaded model")
    if type != .f32 {
      print("rounding  to \(type.rawValue) changes a logit by \(report.logitChange) at most")
    }
  }
}
