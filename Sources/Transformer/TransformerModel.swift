public import Compute
public import FeedForward
import Glibc

/// The parameters of a model on a backend, and what every pass over them shares.
public final class TransformerModel {
  /// The shape.
  public let configuration: ModelConfiguration
  /// The parameters, declared once.
  public let table: ParameterTable
  /// Their values.
  public let parameters: ParameterArena
  /// Where it lives.
  public let backend: any Backend
  /// The decaying parameters (matrices) in the backend's storage type, in the same order; nil when
  /// that is float32 and products use the parameters themselves.
  public let storedMatrices: TensorView?
  private let storedArena: Arena?

  /// Allocates zeroed parameters.
  public init(
    _ configuration: ModelConfiguration, on backend: any Backend
  ) throws(ComputeError) {
    self.configuration = configuration
    self.backend = backend
    table = ParameterTable(configuration)
    parameters = try ParameterArena(table, on: backend, purpose: "parameters")
    guard backend.storage != .float32 else {
      storedArena = nil
      storedMatrices = nil
      return
    }
    let arena = try Arena(
      byteCount: Arena.bytes(rows: 1, columns: table.decayingCount, backend.storage),
      on: backend, purpose: "weights in \(backend.storage.rawValue)")
    let stored = arena.take(rows: 1, columns: table.decayingCount, backend.storage)
    try backend.zero(stored)
    storedArena = arena
    storedMatrices = stored
  }

  /// Fills the parameters as the table says; a pure function of the seed.
  public func initialize(seed: UInt64) throws(ComputeError) {
    for (index, entry) in table.entries.enumerated() {
      let values: [Float]
      switch entry.initialization {
      case .ones:
        values = Array(repeating: 1, count: entry.count)
      case .normal(let deviation):
        values = CounterRandom(seed: seed, stream: UInt64(index))
          .normals(entry.count, deviation: deviation, threads: backend.hostThreads)
      }
      try backend.write(values, to: parameters.view(entry))
    }
    try parametersChanged()
  }

  /// Call after parameters were set: products use them from here on.
  public func parametersChanged() throws(ComputeError) {
    guard let storedMatrices else { return }
    try backend.run(ConvertElements(source: parameters.decaying, output: storedMatrices))
  }

  /// A parameter as operations use it: matrices in the storage type, vectors in float32.
  public func weight(_ role: ParameterRole) -> TensorView {
    let entry = table[role]
    guard let storedMatrices, entry.decays else { return parameters.view(entry) }
    return storedMatrices.columns(entry.offset..<entry.offset + entry.count)
      .reshaped(rows: entry.rows, columns: entry.columns)
  }

  /// The output projection, [vocabulary, d]; the embedding itself when tied.
  public var outputWeight: TensorView {
    weight(configuration.tiedEmbeddings ? .embedding : .output)
  }

  /// The feed-forward parameters of a layer in float32, as the optimizer updates them, with
  /// gradients in an arena of the same table.
  public func feedForwardParameters(
    layer: Int, gradients: ParameterArena
  ) -> FeedForwardWeights {
    FeedForwardWeights(
      up: parameters[.up(layer: layer)], down: parameters[.down(layer: layer)],
      upGradient: gradients[.up(layer: layer)], downGradient: gradients[.down(layer: layer)])
  }
}

/// Cosines and sines of the rotary embedding, computed once in double precision.
public final class RotaryTable {
  /// [positions, headWidth]: headWidth/2 cosines, then headWidth/2 sines.
  public let view: TensorView
  private let arena: Arena

  /// Angles `position · theta^(−2j/headWidth)` for every position below `positions`.
  public init(
    positions: Int, headWidth: Int, theta: Double, on backend: any Backend
  ) throws(ComputeError) {
    arena = try Arena(
      byteCount: RotaryTable.bytes(positions: positions, headWidth: headWidth), on: backend,
      purpose: "rotary table")
    view = arena.take(rows: positions, columns: headWidth)
    let half = headWidth / 2
    var values = [Float](repeating: 0, count: positions * headWidth)
    for j in 0..<half {
      // Hugging Face computes frequency and angle in float32; the angle is rounded likewise here,
      // so that large positions agree.
      let frequency = Float(1 / pow(theta, Double(2 * j) / Double(headWidth)))
      for position in 0..<positions {
        let angle = Double(Float(position) * frequency)
        values[position * headWidth + j] = Float(cos(angle))
        values[position * headWidth + half + j] = Float(sin(angle))
      }
    }
    try backend.write(values, to: view)
  }

  /// All that a table allocates.
  static func bytes(positions: Int, headWidth: Int) -> Int {
    Arena.bytes(rows: positions, columns: headWidth)
  }
}
