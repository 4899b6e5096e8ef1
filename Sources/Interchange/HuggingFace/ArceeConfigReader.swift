extension ArceeConfig {
  /// Reads the `config.json` of a folder.
  ///
  /// - Throws: `InterchangeError` that names the field that Krait's model does not have, or that
  ///   is missing.
  public static func read(folder: String) throws -> ArceeConfig {
    let path = folder + "/" + fileName
    return try ArceeConfigReader(path: path, json: StrictJSON.Value.read(path)).config()
  }
}

/// Turns the fields of a `config.json` into what Krait computes, or says which one it cannot.
private struct ArceeConfigReader {
  let path: String
  let json: StrictJSON.Value

  func config() throws -> ArceeConfig {
    guard case .object = json else { throw refuse("it is no object") }
    try checkArchitecture()
    try checkLayers()
    let width = try required("hidden_size")
    let heads = try required("num_attention_heads")
    guard json["head_dim"] != nil || (heads > 0 && width % heads == 0) else {
      throw refuse(
        "it has no head_dim, and num_attention_heads \(heads) does not divide hidden_size \(width)"
      )
    }
    return ArceeConfig(
      vocabulary: try required("vocab_size"), width: width,
      hiddenWidth: try required("intermediate_size"), layers: try required("num_hidden_layers"),
      heads: heads, keyValueHeads: try integer("num_key_value_heads") ?? heads,
      headWidth: try integer("head_dim") ?? width / heads,
      positions: try integer("max_position_embeddings") ?? 4096, ropeTheta: try ropeTheta(),
      normEpsilon: try number("rms_norm_eps", in: json) ?? 1e-5,
      initializerRange: try number("initializer_range", in: json) ?? 0.02,
      tiedEmbeddings: try flag("tie_word_embeddings"), beginToken: try token("bos_token_id"),
      endToken: try token("eos_token_id"), type: try type(), notes: notes())
  }

  private func refuse(_ sentence: String) -> InterchangeError {
    InterchangeError("'\(path)' cannot be used: \(sentence)")
  }

  // MARK: What the model must be

  private func checkArchitecture() throws {
    let name: String?
    if case .array(let items) = json["architectures"], case .string(let first) = items.first {
      name = first
    } else {
      name = nil
    }
    if let name, name != "ArceeForCausalLM" {
      throw refuse(
        "architectures is \(name); krait reads ArceeForCausalLM, the Llama layout with a squared "
          + "ReLU and no gate")
    }
    guard case .string(let type) = json["model_type"] else {
      if name != nil { return }
      throw refuse("it has neither architectures nor model_type; krait reads model_type arcee")
    }
    guard type == "arcee" else {
      throw refuse("model_type is \(type); krait reads arcee")
    }
  }

  private func checkLayers() throws {
    if let act = json["hidden_act"], act != .string("relu2") {
      throw refuse("hidden_act is \(spelled(act)); krait computes relu2 only")
    }
    for name in ["attention_bias", "mlp_bias"] where try flag(name) {
      throw refuse("\(name) is true; krait's projections have no biases")
    }
    if json["quantization_config"] != nil {
      throw refuse("it has a quantization_config; krait reads F32, BF16 and F16 tensors")
    }
    if let share = try number("partial_rotary_factor", in: json), share != 1 {
      throw refuse("partial_rotary_factor is \(share); krait rotates whole heads")
    }
  }

  /// The base of the rotary frequencies; version 4 keeps it in `rope_theta`, version 5 in
  /// `rope_parameters`, where a `rope_scaling` that is there overrides it.
  private func ropeTheta() throws -> Double {
    var found: [(name: String, value: Double)] = []
    if let value = try number("rope_theta", in: json) { found.append(("rope_theta", value)) }
    for field in ["rope_parameters", "rope_scaling"] {
      guard let parameters = json[field] else { continue }
      guard case .object(let members) = parameters else { throw refuse("\(field) is no object") }
      for (key, member) in members where member != .null {
        switch key {
        case "rope_type", "type":
          guard member == .string("default") else {
            throw refuse(
              "\(field) has \(key) \(spelled(member)); krait computes the default rotary "
                + "embedding only")
          }
        case "rope_theta":
          if let value = try number(key, in: parameters) {
            found.append(("\(field).rope_theta", value))
          }
        case "partial_rotary_factor":
          guard try number(key, in: parameters) == 1 else {
            throw refuse("\(field) has \(key) \(spelled(member)); krait rotates whole heads")
          }
        default:
          throw refuse(
            "\(field) has \(key); krait computes the default rotary embedding only, without "
              + "scaling")
        }
      }
    }
    guard let first = found.first else { return 10000 }
    if let other = found.first(where: { $0.value != first.value }) {
      throw refuse(
        "\(first.name) is \(first.value) but \(other.name) is \(other.value); make them equal")
    }
    return first.value
  }

  private func type() throws -> TensorType {
    for name in ["dtype", "torch_dtype"] {
      guard let value = json[name] else { continue }
      switch value {
      case .string("bfloat16"): return .bfloat16
      case .string("float16"): return .float16
      case .string("float32"): return .float32
      default: throw refuse("\(name) is \(spelled(value)); krait reads float32, bfloat16, float16")
      }
    }
    return .float32
  }

  private func notes() -> [String: String] {
    guard case .object(let members) = json["krait"] else { return [:] }
    var result: [String: String] = [:]
    for (key, member) in members { if case .string(let text) = member { result[key] = text } }
    return result
  }

  // MARK: Fields

  private func required(_ name: String) throws -> Int {
    guard let value = try integer(name) else { throw refuse("it has no \(name)") }
    return value
  }

  private func integer(_ name: String) throws -> Int? {
    guard let value = json[name] else { return nil }
    guard case .number(let text) = value, let number = Int(text), number > 0 else {
      throw refuse("\(name) is \(spelled(value)); it must be a whole number above 0")
    }
    return number
  }

  /// An id; of a list the first.
  private func token(_ name: String) throws -> Int? {
    guard var value = json[name] else { return nil }
    if case .array(let items) = value, let first = items.first { value = first }
    guard case .number(let text) = value, let id = Int(text), id >= 0 else {
      throw refuse("\(name) is \(spelled(value)); it must be a token id")
    }
    return id
  }

  private func number(_ name: String, in object: StrictJSON.Value) throws -> Double? {
    guard let value = object[name] else { return nil }
    guard case .number(let text) = value, let number = Double(text), number.isFinite else {
      throw refuse("\(name) is \(spelled(value)); it must be a number")
    }
    return number
  }

  private func flag(_ name: String) throws -> Bool {
    guard let value = json[name] else { return false }
    guard case .bool(let flag) = value else {
      throw refuse("\(name) is \(spelled(value)); it must be true or false")
    }
    return flag
  }

  private func spelled(_ value: StrictJSON.Value) -> String {
    if case .string(let text) = value { return text }
    return value.text.split(separator: "\n").joined(separator: " ")
  }
}
