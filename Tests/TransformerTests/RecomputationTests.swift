import Compute
import ComputeCPU
import FeedForward
import Testing
import Transformer

/// Keeping less and computing again changes nothing but memory.
@Suite struct RecomputationTests {
  private static let shape: ModelConfiguration = {
    var shape = ModelConfiguration()
    shape.width = 32
    shape.hiddenWidth = 128
    shape.layers = 3
    shape.heads = 4
    shape.keyValueHeads = 2
    shape.headWidth = 8
    shape.vocabulary = 61
    shape.initializerRange = 0.2
    return shape
  }()

  /// Recipes that keep different things: A, packed values and lists, a dense layer among them.
  private static let recipes: [(name: String, FeedForwardConfiguration)] = {
    func recipe(_ change: (inout FeedForwardConfiguration) -> Void) -> FeedForwardConfiguration {
      var recipe = FeedForwardConfiguration()
      recipe.blockTokens = 16
      recipe.samples = 4
      recipe.keptMultiple = 8
      recipe.clusters = 4
      change(&recipe)
      return recipe
    }
    return [
      ("dense", recipe { $0.mode = .dense }),
      ("columns sampled", recipe { _ in }),
      ("columns exact", recipe { $0.selection = .exact }),
      ("columns, centroids move", recipe { $0.centroidInterval = 1 }),
      (
        "columns, centroids move, samples are remembered",
        recipe {
          $0.centroidInterval = 1
          $0.memoryRate = 0.5
        }
      ),
      ("columns, an order for two layers", recipe { $0.layersPerOrder = 2 }),
      (
        "columns, an order for all, centroids move",
        recipe {
          $0.layersPerOrder = 3
          $0.centroidInterval = 1
        }
      ),
      (
        "columns, an order for two layers, a dense one between",
        recipe {
          $0.layersPerOrder = 2
          $0.densities = [0.5, 1, 0.25]
        }
      ),
      (
        "paper, an order for two layers",
        recipe {
          $0.mode = .paper
          $0.layersPerOrder = 2
        }
      ),
      ("columns, a dense layer", recipe { $0.densities = [0.5, 1, 0.25] }),
      ("paper", recipe { $0.mode = .paper }),
      (
        "paper, gradients of A transposed",
        recipe {
          $0.mode = .paper
          $0.weightGradientPattern = .venom
        }
      ),
    ]
  }()

  @Test(arguments: recipes.map(\.name))
  func gradientsAreTheSameBits(name: String) throws {
    let recipe = try #require(RecomputationTests.recipes.first { $0.name == name }).1
    let random = CounterRandom(seed: 5, stream: 0)
    let ids = (0...96).map {
      Int32(random.bits(UInt64($0)) % UInt64(RecomputationTests.shape.vocabulary))
    }
    func result(
      _ recomputation: Recomputation
    ) throws -> (losses: [UInt32], gradients: [UInt32], peak: Int) {
      let backend = CPUBackend(threads: 2)
      let model = try TransformerModel(RecomputationTests.shape, on: backend)
      try model.initialize(seed: 3)
      let pass = try TrainingPass(
        model, feedForward: recipe, sequences: 2, sequenceLength: 48,
        recomputation: recomputation)
      if recipe.mode != .dense {
        try pass.feedForward.recluster(
          pass.feedForwardParameters, companions: Array(repeating: [], count: 3))
      }
      backend.resetPeak()
      try pass.feedForward.switchMode(to: recipe.mode)
      pass.feedForward.collectStatistics()
      var losses: [Float] = []
      for _ in 0..<3 {
        pass.feedForward.findCentroidMoves()
        pass.feedForward.noteSamples()
        losses += try pass.run(
          tokens: Array(ids[0..<96]), targets: Array(ids[1...96]), gradientScale: 1.0 / 96)
        try pass.feedForward.applyFindings()
      }
      let gradients = try backend.read(pass.gradients.all)
      #expect(gradients.contains { $0 != 0 })
      return (losses.map(\.bitPattern), gradients.map(\.bitPattern), backend.peakBytes)
    }
    let kept = try result(.none)
    let again = try result(.layer)
    #expect(again.losses == kept.losses)
    #expect(again.gradients == kept.gradients)
    #expect(again.peak < kept.peak)
  }
}
