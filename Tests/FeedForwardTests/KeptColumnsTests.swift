import FeedForward
import Testing

@Suite struct KeptColumnsTests {
  @Test(arguments: [
    (0.125, 3072, 64, 384), (0.1, 1000, 64, 128), (1.0, 100, 64, 100), (0.001, 256, 1, 1),
  ])
  func roundsUpToTheMultipleAndNeverAboveAll(
    density: Double, hiddenWidth: Int, multiple: Int, expected: Int
  ) {
    var configuration = FeedForwardConfiguration()
    configuration.density = density
    configuration.keptMultiple = multiple
    #expect(configuration.keptColumns(layer: 0, of: 1, hiddenWidth: hiddenWidth) == expected)
  }

  @Test func endsOfAModelAreDenserThanItsMiddle() {
    var configuration = FeedForwardConfiguration()
    configuration.profile = .ends
    func densities(_ layers: Int) -> [Double] {
      (0..<layers).map { configuration.density(layer: $0, of: layers) }
    }
    #expect(densities(8) == [0.5, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.25, 0.5])
    #expect(densities(1) == [0.5])
    configuration.density = 0.3
    #expect(densities(4) == [1, 0.15, 0.15, 1])
    #expect(configuration.isDense(layer: 0, of: 4) && !configuration.isDense(layer: 1, of: 4))
    #expect(configuration.keptColumns(layer: 1, of: 4, hiddenWidth: 640) == 128)
    configuration.densities = [0.25, 0.5]
    #expect(densities(2) == [0.25, 0.5])
  }

  @Test func aRisingProfileBeginsDenselyAndThenRises() {
    var configuration = FeedForwardConfiguration()
    configuration.profile = .rising
    func densities(_ layers: Int) -> [Double] {
      (0..<layers).map { configuration.density(layer: $0, of: layers) }
    }
    let early = [Double](repeating: 0.03125, count: 4)
    let middle = [Double](repeating: 0.125, count: 4)
    #expect(densities(12) == [1] + early + middle + [0.25, 0.25, 0.25])
    #expect(densities(4) == [1, 0.03125, 0.125, 0.25])
    #expect(densities(1) == [1])
    #expect(configuration.isDense(layer: 0, of: 12) && !configuration.isDense(layer: 1, of: 12))
    configuration.density = 0.7
    #expect(densities(4) == [1, 0.175, 0.7, 1])
  }
}
