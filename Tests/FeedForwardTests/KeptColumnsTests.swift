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
    #expect(configuration.keptColumns(layer: 0, hiddenWidth: hiddenWidth) == expected)
  }
}
