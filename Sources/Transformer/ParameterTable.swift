/// How a parameter starts.
public enum Initialization: Sendable, Equatable {
  /// Every element 1: norm weights.
  case ones
  /// Independent normal numbers with this standard deviation.
  case normal(Double)
}

/// A tensor of a Hugging Face checkpoint that a parameter, or some of its rows, becomes.
public struct ExportedTensor: Sendable, Equatable {
  /// The standard name, for example `model.layers.0.self_attn.q_proj.weight`.
  public let name: String
  /// Which rows of the parameter it is.
  public let rows: Range<Int>
  /// Whether the file holds the transpose.
  public let transposed: Bool
  /// Whether it is a vector in the file.
  public let isVector: Bool
}

/// What a parameter is for.
public enum ParameterRole: Sendable, Equatable {
  case embedding
  case output
  case finalNorm
  case attentionNorm(layer: Int)
  case queryKeyValue(layer: Int)
  case attentionOutput(layer: Int)
  case feedForwardNorm(layer: Int)
  case up(layer: Int)
  case down(layer: Int)
}

/// One parameter of the model: declared here, used by arenas, optimizer, checkpoints and export.
public struct ParameterEntry: Sendable, Equatable {
  /// Krait's own name; checkpoints use it.
  public let name: String
  /// What it is for.
  public let role: ParameterRole
  /// Rows of the matrix; 1 for a vector.
  public let rows: Int
  /// Columns of the matrix.
  public let columns: Int
  /// How it starts.
  public let initialization: Initialization
  /// Whether weight decay applies: matrices only.
  public let decays: Bool
  /// What it becomes in a Hugging Face checkpoint.
  public let exports: [ExportedTensor]
  /// Where it starts in every arena, in elements.
  public let offset: Int

  /// The number of elements.
  public var count: Int { rows * columns }
}

/// All parameters of a model in the order of memory: decaying matrices first, then vectors, each
/// padded to 64 elements so that every one starts on a 256-byte boundary.
public struct ParameterTable: Sendable, Equatable {
  /// Every parameter starts at a multiple of this many elements.
  static let alignment = 64

  /// The parameters in memory order.
  public let entries: [ParameterEntry]
  /// Elements of an arena, padding included.
  public let elementCount: Int
  /// Elements of the leading part that decays.
  public let decayingCount: Int

  /// Declares the parameters of a model.
  public init(_ model: ModelConfiguration) {
    var builder = Builder()
    let d = model.width
    let queryWidth = model.heads * model.headWidth
    let keyWidth = model.keyValueHeads * model.headWidth
    let normal = Initialization.normal(model.initializerRange)
    let residual = Initialization.normal(
      model.initializerRange / Double(2 * model.layers).squareRoot())

    builder.matrix(
      "embedding", .embedding, model.vocabulary, d, normal,
      [(Builder.prefix + "embed_tokens.weight", 0..<model.vocabulary, false)])
    if !model.tiedEmbeddings {
      builder.matrix(
        "output", .output, model.vocabulary, d, normal,
        [("lm_head.weight", 0..<model.vocabulary, false)])
    }
    for layer in 0..<model.layers {
      let own = "layers.\(layer)."
      let theirs = Builder.prefix + own
      builder.matrix(
        own + "attention.query_key_value", .queryKeyValue(layer: layer),
        queryWidth + 2 * keyWidth, d, normal,
        [
          (theirs + "self_attn.q_proj.weight", 0..<queryWidth, false),
          (theirs + "self_attn.k_proj.weight", queryWidth..<queryWidth + keyWidth, false),
          (
            theirs + "self_attn.v_proj.weight", queryWidth + keyWidth..<queryWidth + 2 * keyWidth,
            false
          ),
        ])
      builder.matrix(
        own + "attention.output", .attentionOutput(layer: layer), d, queryWidth, residual,
        [(theirs + "self_attn.o_proj.weight", 0..<d, false)])
      builder.matrix(
        own + "feed_forward.up", .up(layer: layer), model.hiddenWidth, d, normal,
        [(theirs + "mlp.up_proj.weight", 0..<model.hiddenWidth, false)])
      builder.matrix(
        own + "feed_forward.down", .down(layer: layer), model.hiddenWidth, d, residual,
        [(theirs + "mlp.down_proj.weight", 0..<model.hiddenWidth, true)])
    }
    let decaying = builder.elements
    for layer in 0..<model.layers {
      let own = "layers.\(layer)."
      let theirs = Builder.prefix + own
      builder.vector(
        own + "attention.norm", .attentionNorm(layer: layer), d,
        theirs + "input_layernorm.weight")
      builder.vector(
        own + "feed_forward.norm", .feedForwardNorm(layer: layer), d,
        theirs + "post_attention_layernorm.weight")
    }
    builder.vector("final_norm", .finalNorm, d, Builder.prefix + "norm.weight")

    entries = builder.entries
    elementCount = builder.elements
    decayingCount = decaying
  }

  /// The elements of the matrices of all layers, which lie behind each other.
  public var layerMatrices: Range<Int> {
    let first = entries.first {
      if case .queryKeyValue = $0.role { return true }
      return false
    }
    return (first?.offset ?? decayingCount)..<decayingCount
  }

  /// The number of trained numbers, padding not counted.
  public var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }

  /// The entry with a role.
  public subscript(_ role: ParameterRole) -> ParameterEntry {
    guard let entry = entries.first(where: { $0.role == role }) else {
      preconditionFailure("the model has no \(role)")
    }
    return entry
  }

  private struct Builder {
    static let prefix = "model."
    var entries: [ParameterEntry] = []
    var elements = 0

    mutating func matrix(
      _ name: String, _ role: ParameterRole, _ rows: Int, _ columns: Int,
      _ initialization: Initialization, _ exports: [(String, Range<Int>, Bool)]
    ) {
      add(
        ParameterEntry(
          name: name, role: role, rows: rows, columns: columns, initialization: initialization,
          decays: true,
          exports: exports.map {
            ExportedTensor(name: $0.0, rows: $0.1, transposed: $0.2, isVector: false)
          }, offset: elements))
    }

    mutating func vector(
      _ name: String, _ role: ParameterRole, _ width: Int, _ exported: String
    ) {
      add(
        ParameterEntry(
          name: name, role: role, rows: 1, columns: width, initialization: .ones, decays: false,
          exports: [
            ExportedTensor(name: exported, rows: 0..<1, transposed: false, isVector: true)
          ], offset: elements))
    }

    private mutating func add(_ entry: ParameterEntry) {
      entries.append(entry)
      elements += (entry.count + alignment - 1) / alignment * alignment
    }
  }
}
