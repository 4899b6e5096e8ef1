import FeedForward
import Testing

/// Gradients are those of the masked function, by central differences of the reference's forward
/// pass in double precision, the mask and beta held constant.
///
/// 2:4 weights are differentiated as they stand in the products; what comes out must be, unscaled,
/// the gradient of every dense weight: straight through.
@Suite struct FiniteDifferenceTests {
  static let variants = (Variant.columns + Variant.paper)
    .filter { $0.configuration.weightGradientPattern == .exact }

  @Test(arguments: variants)
  func everyEntryOfEveryGradient(variant: Variant) throws {
    var small = variant
    small.tokens = min(variant.tokens, 11)
    small.width = 8
    small.hidden = 32
    small.configuration.blockTokens = min(variant.configuration.blockTokens, 4)
    small.configuration.samples = min(variant.configuration.samples, 2)
    small.configuration.clusters = min(variant.configuration.clusters, 3)
    let network = try small.network(seed: 7)
    let result = try network.run()
    let mask = try network.referencePattern().mask
    let weights = try network.matrix(network.outputGradient)
    let here = try network.reference()

    func loss(_ input: Matrix, _ up: Matrix, _ down: Matrix) -> Double {
      ReferenceFeedForward(input: input, up: up, down: down).output(mask: mask)
        .combined(weights, *).values.reduce(0, +)
    }
    let inputGradient = differences(at: here.input) { loss($0, here.up, here.down) }
    #expect(inputGradient.error(of: result.inputGradient) < 1e-5)
    let upGradient = differences(at: here.up) { loss(here.input, $0, here.down) }
    #expect(upGradient.error(of: result.upGradient) < 1e-5)
    let downGradient = differences(at: here.down) { loss(here.input, here.up, $0) }
    #expect(downGradient.error(of: result.downGradient) < 1e-5)
  }

  private func differences(at point: Matrix, _ function: (Matrix) -> Double) -> Matrix {
    let step = 1e-5
    var gradient = point
    for index in point.values.indices {
      var moved = point
      moved.values[index] = point.values[index] + step
      let above = function(moved)
      moved.values[index] = point.values[index] - step
      gradient.values[index] = (above - function(moved)) / (2 * step)
    }
    return gradient
  }
}
