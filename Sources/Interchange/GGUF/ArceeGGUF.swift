/// How llama.cpp names, orders and describes the tensors of its architecture `arcee`.
///
/// Source: ggml-org/llama.cpp, `gguf-py/gguf/constants.py` and `convert_hf_to_gguf.py`.
public enum ArceeGGUF {
  /// Metadata of the model itself, without its tokenizer.
  ///
  /// - Parameters:
  ///   - name: for people.
  ///   - type: of the matrices; norm weights are always F32.
  public static func metadata(
    _ config: ArceeConfig, name: String, type: TensorType
  ) -> [(String, GGUFValue)] {
    func count(_ value: Int) -> GGUFValue { .uint32(UInt32(value)) }
    // Without context length or epsilon llama.cpp refuses the file; without the base it silently
    // takes 10000; without key and value lengths it takes width / heads.
    return [
      ("general.architecture", .string("arcee")), ("general.type", .string("model")),
      ("general.name", .string(name)), ("general.file_type", .uint32(fileType(type))),
      ("general.alignment", count(GGUFWriter.alignment)),
      ("arcee.vocab_size", count(config.vocabulary)),
      ("arcee.context_length", count(config.positions)),
      ("arcee.embedding_length", count(config.width)),
      ("arcee.block_count", count(config.layers)),
      ("arcee.feed_forward_length", count(config.hiddenWidth)),
      ("arcee.attention.head_count", count(config.heads)),
      ("arcee.attention.head_count_kv", count(config.keyValueHeads)),
      ("arcee.attention.key_length", count(config.headWidth)),
      ("arcee.attention.value_length", count(config.headWidth)),
      ("arcee.attention.layer_norm_rms_epsilon", .float32(Float(config.normEpsilon))),
      ("arcee.rope.dimension_count", count(config.headWidth)),
      ("arcee.rope.freq_base", .float32(Float(config.ropeTheta))),
    ]
  }

  /// llama.cpp's name of a tensor with a Hugging Face name, or nil.
  public static func name(_ standard: String) -> String? {
    switch standard {
    case "model.embed_tokens.weight": return "token_embd.weight"
    case "model.norm.weight": return "output_norm.weight"
    case "lm_head.weight": return "output.weight"
    default: break
    }
    let parts = standard.split(separator: ".", maxSplits: 3).map(String.init)
    guard parts.count == 4, parts[0] == "model", parts[1] == "layers",
      let part = layerNames[parts[3]]
    else { return nil }
    return "blk.\(parts[2]).\(part).weight"
  }

  /// Whether a tensor's rows are queries or keys, which are rotated.
  public static func isRotated(_ standard: String) -> Bool {
    standard.hasSuffix("self_attn.q_proj.weight") || standard.hasSuffix("self_attn.k_proj.weight")
  }

  /// Reorders the rows of a query or key projection: Hugging Face rotates row j of a head with row
  /// j + headWidth/2, llama.cpp row 2j with row 2j + 1.
  ///
  /// - Parameter restore: reorders back instead.
  public static func interleave(
    _ values: [Float], headWidth: Int, columns: Int, restore: Bool = false
  ) -> [Float] {
    let half = headWidth / 2
    var result = values
    for row in 0..<values.count / columns {
      let (head, within) = row.quotientAndRemainder(dividingBy: headWidth)
      let split = head * headWidth + within
      let interleaved = head * headWidth + 2 * (within % half) + within / half
      let (from, to) = restore ? (interleaved, split) : (split, interleaved)
      result.replaceSubrange(
        to * columns..<(to + 1) * columns, with: values[from * columns..<(from + 1) * columns])
    }
    return result
  }

  private static let layerNames = [
    "input_layernorm.weight": "attn_norm",
    "self_attn.q_proj.weight": "attn_q",
    "self_attn.k_proj.weight": "attn_k",
    "self_attn.v_proj.weight": "attn_v",
    "self_attn.o_proj.weight": "attn_output",
    "post_attention_layernorm.weight": "ffn_norm",
    "mlp.up_proj.weight": "ffn_up",
    "mlp.down_proj.weight": "ffn_down",
  ]

  /// llama.cpp's number for "all of", or "mostly", one type.
  private static func fileType(_ type: TensorType) -> UInt32 {
    switch type {
    case .float16: 1
    case .bfloat16: 32
    default: 0
    }
  }
}
