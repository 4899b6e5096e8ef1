import Testing
import Transformer

@Suite struct RandomNumberTests {
  /// Weights of a seed are what they always were: one by one, or all at once on every core.
  @Test(arguments: [0, 1, 2, 7, 65_535, 65_537, 200_001])
  func allAtOnceEqualsOneByOne(count: Int) {
    let random = CounterRandom(seed: 11, stream: 3)
    let together = random.normals(count, deviation: 0.02, threads: 3)
    #expect(together.count == count)
    let single = (0..<count).map { Float(random.normal(UInt64($0)) * 0.02) }
    #expect(together.map(\.bitPattern) == single.map(\.bitPattern))
  }

  /// The first numbers of a stream, from the formula in Python with correctly rounded functions.
  @Test func firstNumbersOfAStream() {
    let random = CounterRandom(seed: 1, stream: 0)
    let first = random.normals(4, deviation: 1, threads: 1)
    #expect(first.map { ($0 * 1e4).rounded() } == RandomNumberTests.expected)
  }

  private static let expected: [Float] = [-2789, -8811, -7642, -11463]
}
