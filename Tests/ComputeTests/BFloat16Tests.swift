import Compute
import Testing

@Suite struct BFloat16Tests {
  @Test func everyBitPatternSurvivesTheWayThroughFloat() {
    for bits in UInt16.min...UInt16.max {
      let value = BFloat16(bitPattern: bits)
      if value.float.isNaN {
        #expect(BFloat16(value.float).float.isNaN)
      } else {
        #expect(BFloat16(value.float) == value)
      }
    }
  }

  @Test(arguments: [
    (Float(1) + 0x1p-8, Float(1)),  // half way: the even neighbour is below
    (Float(1) + 3 * 0x1p-8, Float(1) + 0x1p-6),  // half way: the even neighbour is above
    (Float(1) + 0x1.02p-8, Float(1) + 0x1p-7),  // just above half way
    (Float.greatestFiniteMagnitude, Float.infinity),
  ])
  func roundsToNearestEven(value: Float, expected: Float) {
    #expect(BFloat16(value).float == expected)
    #expect(BFloat16(-value).float == -expected)
  }
}
