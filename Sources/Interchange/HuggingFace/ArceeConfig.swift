/// `config.json` of a Hugging Face folder for `ArceeForCausalLM`: the Llama layout with a squared
/// ReLU and no gate.
///
/// Source: huggingface/transformers, `models/arcee/configuration_arcee.py`, versions 4.53 and 5.x.
public struct ArceeConfig: Sendable, Equatable {
  /// `vocab_size`.
  public var vocabulary: Int
  /// `hidden_size`.
  public var width: Int
  /// `intermediate_size`.
  public var hiddenWidth: Int
  /// `num_hidden_layers`.
  public var layers: Int
  /// `num_attention_heads`.
  public var heads: Int
  /// `num_key_value_heads`.
  public var keyValueHeads: Int
  /// `head_dim`.
  public var headWidth: Int
  /// `max_position_embeddings`: tokens of the sequences it was trained on.
  public var positions: Int
  /// `rope_theta`, in both of its places.
  public var ropeTheta: Double
  /// `rms_norm_eps`.
  public var normEpsilon: Double
  /// `initializer_range`.
  public var initializerRange: Double
  /// `tie_word_embeddings`.
  public var tiedEmbeddings: Bool
  /// `bos_token_id`; nil is written as null, because the class defaults to Llama 3's.
  public var beginToken: Int?
  /// `eos_token_id`.
  public var endToken: Int?
  /// `dtype` and `torch_dtype`: the type of the tensors in the folder.
  public var type: TensorType
  /// What Krait adds under its own key; other programs ignore it.
  public var notes: [String: String]

  /// A configuration; see the properties.
  public init(
    vocabulary: Int, width: Int, hiddenWidth: Int, layers: Int, heads: Int, keyValueHeads: Int,
    headWidth: Int, positions: Int, ropeTheta: Double, normEpsilon: Double,
    initializerRange: Double, tiedEmbeddings: Bool, beginToken: Int?, endToken: Int?,
    type: TensorType, notes: [String: String]
  ) {
    self.vocabulary = vocabulary
    self.width = width
    self.hiddenWidth = hiddenWidth
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headWidth = headWidth
    self.positions = positions
    self.ropeTheta = ropeTheta
    self.normEpsilon = normEpsilon
    self.initializerRange = initializerRange
    self.tiedEmbeddings = tiedEmbeddings
    self.beginToken = beginToken
    self.endToken = endToken
    self.type = type
    self.notes = notes
  }

  /// The name of the file in its folder.
  public static let fileName = "config.json"

  /// The text of the file, every field of the class spelt out.
  ///
  /// Transformers 4 reads `rope_theta` and silently takes 10000 without it; 5 reads
  /// `rope_parameters`: both are written. The same goes for `torch_dtype` and `dtype`.
  public var text: String {
    func token(_ id: Int?) -> StrictJSON.Value { id.map { .integer($0) } ?? .null }
    let typeName = ArceeConfig.typeName(type)
    return StrictJSON.Value.object([
      ("architectures", .array([.string("ArceeForCausalLM")])),
      ("model_type", .string("arcee")),
      ("vocab_size", .integer(vocabulary)),
      ("hidden_size", .integer(width)),
      ("intermediate_size", .integer(hiddenWidth)),
      ("num_hidden_layers", .integer(layers)),
      ("num_attention_heads", .integer(heads)),
      ("num_key_value_heads", .integer(keyValueHeads)),
      ("head_dim", .integer(headWidth)),
      ("hidden_act", .string("relu2")),
      ("max_position_embeddings", .integer(positions)),
      ("rms_norm_eps", .double(normEpsilon)),
      ("initializer_range", .double(initializerRange)),
      ("attention_dropout", .double(0)),
      ("attention_bias", .bool(false)),
      ("mlp_bias", .bool(false)),
      ("tie_word_embeddings", .bool(tiedEmbeddings)),
      ("use_cache", .bool(true)),
      ("bos_token_id", token(beginToken)),
      ("eos_token_id", token(endToken)),
      ("pad_token_id", .null),
      ("rope_theta", .double(ropeTheta)),
      ("rope_scaling", .null),
      (
        "rope_parameters",
        .object([("rope_type", .string("default")), ("rope_theta", .double(ropeTheta))])
      ),
      ("torch_dtype", .string(typeName)),
      ("dtype", .string(typeName)),
      ("krait", .object(notes.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
    ]).text
  }

  /// The text of `generation_config.json`.
  public var generationText: String {
    var members: [(String, StrictJSON.Value)] = [("_from_model_config", .bool(true))]
    if let beginToken { members.append(("bos_token_id", .integer(beginToken))) }
    if let endToken { members.append(("eos_token_id", .integer(endToken))) }
    return StrictJSON.Value.object(members).text
  }

  static func typeName(_ type: TensorType) -> String {
    switch type {
    case .bfloat16: "bfloat16"
    case .float16: "float16"
    default: "float32"
    }
  }
}
