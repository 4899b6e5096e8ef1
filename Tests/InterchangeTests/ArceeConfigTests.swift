import Foundation
import Interchange
import Testing

@Suite struct ArceeConfigTests {
  private let config = ArceeConfig(
    vocabulary: 320, width: 256, hiddenWidth: 1024, layers: 3, heads: 4, keyValueHeads: 2,
    headWidth: 32, positions: 512, ropeTheta: 500_000, normEpsilon: 1e-5, initializerRange: 0.02,
    tiedEmbeddings: true, beginToken: 256, endToken: 256, type: .bfloat16,
    notes: ["writer": "krait 0.1.0", "tokenizer": "bytes"])

  @Test func everyFieldIsSpeltOut() {
    #expect(
      config.text == """
        {
          "architectures": ["ArceeForCausalLM"],
          "model_type": "arcee",
          "vocab_size": 320,
          "hidden_size": 256,
          "intermediate_size": 1024,
          "num_hidden_layers": 3,
          "num_attention_heads": 4,
          "num_key_value_heads": 2,
          "head_dim": 32,
          "hidden_act": "relu2",
          "max_position_embeddings": 512,
          "rms_norm_eps": 1e-05,
          "initializer_range": 0.02,
          "attention_dropout": 0.0,
          "attention_bias": false,
          "mlp_bias": false,
          "tie_word_embeddings": true,
          "use_cache": true,
          "bos_token_id": 256,
          "eos_token_id": 256,
          "pad_token_id": null,
          "rope_theta": 500000.0,
          "rope_scaling": null,
          "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 500000.0
          },
          "torch_dtype": "bfloat16",
          "dtype": "bfloat16",
          "krait": {
            "tokenizer": "bytes",
            "writer": "krait 0.1.0"
          }
        }

        """)
  }

  @Test func itReadsItself() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write(config.text, to: folder.file("config.json"))
    #expect(try ArceeConfig.read(folder: folder.path) == config)
  }

  /// The smallest file, with some members replaced or added; nil removes one.
  private func sentence(_ changes: [String: String?]) throws -> String {
    let folder = try TemporaryFolder()
    var members = [
      "model_type": #""arcee""#, "vocab_size": "100", "hidden_size": "64",
      "intermediate_size": "128", "num_hidden_layers": "2", "num_attention_heads": "4",
    ]
    for (key, value) in changes { members[key] = value }
    let text = "{" + members.map { #""\#($0)": \#($1)"# }.joined(separator: ",") + "}"
    try AtomicFile.write(text, to: folder.file("config.json"))
    do {
      let config = try ArceeConfig.read(folder: folder.path)
      return "theta \(config.ropeTheta), heads \(config.heads)/\(config.keyValueHeads) of "
        + "\(config.headWidth), eps \(config.normEpsilon), end \(config.endToken ?? -1)"
    } catch {
      #expect("\(error)".contains("config.json"))
      return "\(error)"
    }
  }

  @Test func absentFieldsAreTheClasssDefaults() throws {
    #expect(try sentence([:]) == "theta 10000.0, heads 4/4 of 16, eps 1e-05, end -1")
    #expect(
      try sentence(["num_key_value_heads": "2", "head_dim": "8", "eos_token_id": "[5, 6]"])
        == "theta 10000.0, heads 4/2 of 8, eps 1e-05, end 5")
  }

  @Test(arguments: [
    (["rope_theta": "5000"], "theta 5000.0"),
    (["rope_parameters": #"{"rope_type": "default", "rope_theta": 7e4}"#], "theta 70000.0"),
    (["rope_theta": "5e3", "rope_parameters": #"{"rope_theta": 5000}"#], "theta 5000.0"),
    (["rope_theta": "5e3", "rope_scaling": "null"], "theta 5000.0"),
    (["rope_theta": "5e3", "rope_scaling": #"{"type": "default"}"#], "theta 5000.0"),
    (["rope_theta": "5e3", "rope_parameters": #"{"rope_theta": 6000}"#], "make them equal"),
    (["rope_scaling": #"{"rope_type": "yarn", "factor": 4}"#], "rope_scaling has rope_type yarn"),
    (["rope_scaling": #"{"factor": 4}"#], "rope_scaling has factor"),
    (["rope_parameters": #"{"rope_type": "llama3"}"#], "rope_parameters has rope_type llama3"),
    (["rope_parameters": "7"], "rope_parameters is no object"),
    (["rope_theta": #""x""#], "rope_theta is x; it must be a number"),
    (["partial_rotary_factor": "0.5"], "partial_rotary_factor is 0.5"),
    (["architectures": #"["LlamaForCausalLM"]"#], "architectures is LlamaForCausalLM"),
    (["model_type": #""llama""#], "model_type is llama"),
    (["hidden_act": #""silu""#], "hidden_act is silu; krait computes relu2 only"),
    (["attention_bias": "true"], "attention_bias is true"),
    (["mlp_bias": "true"], "mlp_bias is true"),
    (["mlp_bias": "1"], "mlp_bias is 1; it must be true or false"),
    (["quantization_config": "{}"], "quantization_config"),
    (["hidden_size": "0"], "hidden_size is 0; it must be a whole number above 0"),
    (["hidden_size": "64.5"], "hidden_size is 64.5"),
    (["num_attention_heads": "5"], "num_attention_heads 5 does not divide hidden_size 64"),
    (["dtype": #""int8""#], "dtype is int8"),
  ])
  func oneFieldAtATime(_ changes: [String: String], _ expected: String) throws {
    #expect(try sentence(changes.mapValues { $0 }).contains(expected))
  }

  @Test func missingSizesAreNamed() throws {
    for field in [
      "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
      "num_attention_heads",
    ] {
      #expect(try sentence([field: nil]).contains("it has no \(field)"))
    }
    #expect(try sentence(["model_type": nil]).contains("neither architectures nor model_type"))
  }
}
