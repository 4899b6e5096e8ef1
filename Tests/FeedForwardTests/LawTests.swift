import Compute
import ComputeCPU
import FeedForward
import Testing

/// What must hold whatever the numbers are.
@Suite struct LawTests {
  /// On whole numbers nothing rounds, so "up to summation order" means the same bits.
  @Test(arguments: ColumnSelection.allCases, [0, 5])
  func keepingAllColumnsEqualsDense(selection: ColumnSelection, clusters: Int) throws {
    let variant = Variant("all") {
      $0.density = 1
      $0.selection = selection
      $0.clusters = clusters
    }
    let network = try variant.network(whole: true)
    #expect(try network.run() == network.runDense())
    let real = try variant.network()
    let (sparse, dense) = (try real.run(), try real.runDense())
    for (a, b) in [
      (sparse.output, dense.output), (sparse.inputGradient, dense.inputGradient),
      (sparse.upGradient, dense.upGradient), (sparse.downGradient, dense.downGradient),
    ] {
      #expect(Matrix(1, b.count, floats: b).error(of: a) < 1e-6)
    }
  }

  @Test(arguments: [0, 5])
  func keepingFourOfFourEqualsDense(clusters: Int) throws {
    let network = try Variant("4:4") {
      $0.mode = .paper
      $0.venomN = 4
      $0.venomM = 4
      $0.sparseWeights = SparseWeights.none
      $0.clusters = clusters
    }.network(whole: true)
    #expect(try network.run() == network.runDense())
  }

  @Test(arguments: [0, 5], [45, 48, 50])
  func samplingEveryTokenEqualsExact(clusters: Int, tokens: Int) throws {
    func network(_ selection: ColumnSelection) throws -> NetworkUnderTest {
      try Variant("V samples", tokens: tokens) {
        $0.selection = selection
        $0.samples = $0.blockTokens
        $0.clusters = clusters
      }.network()
    }
    let (sampled, exact) = (try network(.sampled), try network(.exact))
    let (result, expected) = (try sampled.run(), try exact.run())
    #expect(try sampled.keptColumns() == exact.keptColumns())
    #expect(Matrix(1, result.output.count, floats: expected.output).error(of: result.output) < 1e-6)
    #expect(
      Matrix(1, result.upGradient.count, floats: expected.upGradient)
        .error(of: result.upGradient) < 1e-6)
  }

  @Test func aBlockOfZeroActivationsKeepsTheFirstNeuronsAndPassesTheStream() throws {
    for mode in [FeedForwardMode.columns, .paper] {
      let network = try Variant("zeros", tokens: 40) {
        $0.mode = mode
        $0.clusters = 0
        $0.sparseWeights = SparseWeights.none
      }.network()
      // Positive rows of U and a block of negative inputs: no neuron of that block is active.
      let up = network.weights[0].up
      try network.backend.write(try network.backend.read(up).map { abs($0) + 0.1 }, to: up)
      network.stack.weightsChanged()
      let block = network.input.rows(16..<32)
      try network.backend.write(
        try network.backend.read(block).map { -abs($0) - 0.1 }, to: block)
      let result = try network.run()
      let kept = try network.keptColumns()
      let first =
        mode == .columns
        ? Array(0..<16) : (0..<4).flatMap { group in (0..<4).map { group * 16 + $0 } }
      #expect(kept[1] == first)
      let width = network.shape.width
      let rows = 16 * width..<32 * width
      let residual: [Float] = try network.backend.read(network.residual)
      #expect(result.output[rows] == residual[rows])
      #expect(result.inputGradient[rows].allSatisfy { $0 == 0 })
      #expect(result.upGradient.allSatisfy { $0.isFinite })
      let expected = try network.referenceResult(try network.referencePattern())
      #expect(expected.up.error(of: result.upGradient) < ReferenceTests.tolerance)
      #expect(expected.down.error(of: result.downGradient) < ReferenceTests.tolerance)
    }
  }

  @Test(arguments: Variant.columns + Variant.paper)
  func allZeroInputsGiveZeroGradients(variant: Variant) throws {
    let network = try variant.network()
    try network.backend.zero(network.input)
    let result = try network.run()
    let residual: [Float] = try network.backend.read(network.residual)
    #expect(result.output == residual)
    for gradient in [result.inputGradient, result.upGradient, result.downGradient] {
      #expect(gradient.allSatisfy { $0 == 0 })
    }
  }

  /// −0 in inputs and weights is 0: same choices, same bits, and no −0 among the activations.
  @Test(arguments: Variant.columns + Variant.paper)
  func minusZeroIsZero(variant: Variant) throws {
    let plus = try variant.network(whole: true)
    let minus = try variant.network(whole: true)
    for view in [minus.input, minus.weights[0].up, minus.weights[0].down] {
      let values: [Float] = try minus.backend.read(view)
      #expect(values.contains(0))
      try minus.backend.write(values.map { $0 == 0 ? -0.0 : $0 }, to: view)
    }
    minus.stack.weightsChanged()
    #expect(try minus.run() == plus.run())
    #expect(try minus.keptColumns() == plus.keptColumns())
    #expect(try minus.keptOrder() == plus.keptOrder())
  }

  @Test(arguments: (Variant.columns + Variant.paper))
  func whatWasDroppedHasNoGradient(variant: Variant) throws {
    let network = try variant.network(seed: 11)
    let result = try network.run()
    let pattern = try network.referencePattern()
    let width = network.shape.width
    var dropped = 0
    for neuron in 0..<network.shape.hiddenWidth
    where !(0..<network.shape.tokens).contains(where: { pattern.mask[$0, neuron] != 0 }) {
      dropped += 1
      let row = neuron * width..<(neuron + 1) * width
      #expect(result.upGradient[row].allSatisfy { $0 == 0 })
      #expect(result.downGradient[row].allSatisfy { $0 == 0 })
    }
    // A change of a dropped neuron's down projection changes nothing at all.
    let down = network.weights[0].down
    var values: [Float] = try network.backend.read(down)
    for neuron in 0..<network.shape.hiddenWidth
    where !(0..<network.shape.tokens).contains(where: { pattern.mask[$0, neuron] != 0 }) {
      for column in 0..<width { values[neuron * width + column] += 1 }
    }
    if dropped > 0 && network.stack.configuration.effectiveSparseWeights != .both {
      try network.backend.write(values, to: down)
      #expect(try network.run() == result)
    }
    if variant.configuration.blockTokens == 128 { #expect(dropped > 0) }
  }
}
