import Compute
import ComputeCUDA
import Testing

/// How the products of kept neurons are cut for a Hopper GPU; needs no GPU.
@Suite struct HopperTilesTests {
  @Test func evenTilesShareTokensInPairs() {
    let tiles = HopperTiles(
      tokens: 32768, columns: 1024, gathersRows: false, multiprocessors: 132)
    #expect(tiles.cluster == 2 && tiles.grid == 132 && tiles.group == 2)
  }

  @Test func oddTilesAndGatheredRowsAreNotShared() {
    let odd = HopperTiles(tokens: 4096, columns: 768, gathersRows: false, multiprocessors: 132)
    #expect(odd.cluster == 1 && odd.grid == 96 && odd.group == 1)
    let gathered = HopperTiles(
      tokens: 32768, columns: 1024, gathersRows: true, multiprocessors: 132)
    #expect(gathered.cluster == 1 && gathered.grid == 132 && gathered.group == 2)
    let narrow = HopperTiles(tokens: 300, columns: 64, gathersRows: true, multiprocessors: 132)
    #expect(narrow.grid == 3 && narrow.group == 1)
  }

  @Test func packedValuesStayInTheCacheWhereWeightsFit() {
    for (columns, neurons, group) in [(768, 3072, 3), (2304, 9216, 1), (2304, 4096, 4)] {
      let tiles = HopperTiles(
        tokens: 16384, columns: columns, packedNeurons: neurons, gathersRows: false,
        multiprocessors: 132)
      #expect(tiles.cluster == 1 && tiles.group == group)
    }
    let paired = HopperTiles(
      tokens: 16384, columns: 2048, packedNeurons: 8192, gathersRows: false, multiprocessors: 132)
    #expect(paired.cluster == 2 && paired.group == 2)
  }

  @Test func narrowerTilesWhereTheyPadLess() {
    let narrow = HopperTiles(tokens: 16384, columns: 384, gathersRows: false, multiprocessors: 132)
    #expect(narrow.columns == 192 && narrow.cluster == 2 && narrow.grid == 132)
    let packed = HopperTiles(
      tokens: 16384, columns: 384, packedNeurons: 3072, gathersRows: false, multiprocessors: 132)
    #expect(packed.columns == 256)
    for (columns, width) in [(64, 128), (128, 128), (129, 192), (192, 192)] {
      let few = HopperTiles(
        tokens: 16384, columns: columns, gathersRows: false, multiprocessors: 132)
      #expect(few.columns == width && few.cluster == 1 && few.grid == 128)
    }
    for columns in [256, 512, 768, 1024, 2048] {
      let tiles = HopperTiles(
        tokens: 16384, columns: columns, gathersRows: true, multiprocessors: 132)
      #expect(tiles.columns == 256)
    }
  }

  @Test(arguments: [114, 132, 133], [256, 512, 1000, 4096])
  func theGridIsWholeClustersThatFit(multiprocessors: Int, columns: Int) {
    for tokens in [1, 128, 129, 5000] {
      let tiles = HopperTiles(
        tokens: tokens, columns: columns, gathersRows: false, multiprocessors: multiprocessors)
      #expect(tiles.grid > 0 && tiles.grid <= multiprocessors && tiles.grid % tiles.cluster == 0)
    }
  }

  @Test func rangesOfNeuronsFollowTheDensity() {
    #expect(HopperTiles.neurons(all: 8192, kept: 1024) == 416)
    #expect(HopperTiles.neurons(all: 8192, kept: 256) == 448)
    #expect(HopperTiles.neurons(all: 8192, kept: 4096) == 104)
    #expect(HopperTiles.neurons(all: 64, kept: 64) == 48)
  }

  @Test(arguments: [1, 2, 114, 132, 133])
  func denseGridsAreWholeClustersThatFit(multiprocessors: Int) {
    for (rows, columns) in [(1, 1), (256, 256), (257, 256), (16384, 3072)] {
      let tiles = DenseTiles(rows: rows, columns: columns, multiprocessors: multiprocessors)
      #expect(tiles.grid % tiles.cluster == 0 && tiles.grid <= multiprocessors)
      #expect(tiles.grid > 0 || multiprocessors < tiles.cluster)
      let sparse = TwoFourTiles(tokens: rows, neurons: columns, multiprocessors: multiprocessors)
      #expect(sparse.grid == tiles.grid)
      let sums = HopperEnergies(tokens: rows, neurons: columns, multiprocessors: multiprocessors)
      #expect(sums.grid == tiles.grid)
    }
    let few = DenseTiles(rows: 257, columns: 300, multiprocessors: 132)
    #expect(few.grid == 8 && few.group == 4)
    #expect(DenseTiles(rows: 16384, columns: 3072, multiprocessors: 132).group == 16)
    #expect(TwoFourTiles(tokens: 16384, neurons: 3072, multiprocessors: 132).isWorthIt)
    #expect(!TwoFourTiles(tokens: 1024, neurons: 3072, multiprocessors: 132).isWorthIt)
  }

  @Test func energiesTakeTheFastestFactors() {
    func factors(_ block: Int, _ isTwoOfFour: Bool, _ allowsEightBits: Bool, width: Int = 144)
      -> HopperEnergies.Factors
    {
      HopperEnergies.factors(
        tokens: 4096, width: width, block: block, isTwoOfFour: isTwoOfFour,
        allowsEightBits: allowsEightBits)
    }
    #expect(factors(128, false, false) == .bfloat16 && factors(64, true, false) == .bfloat16)
    #expect(factors(8, true, true) == .eightBit && factors(64, false, true) == .eightBit)
    #expect(factors(32, true, true) == .eightBitTwoOfFour)
    #expect(factors(128, true, true, width: 136) == .twoOfFour)
    for (rows, block) in [(24, 8), (384, 128), (96, 32), (12, nil)] {
      #expect(HopperEnergies.block(of: rows) == block)
    }
  }

  /// Whoever brings 2:4 weights in 8 bits has room for them as the kernels lay them out.
  @Test(arguments: [(520, 144), (128, 128), (1, 16), (3072, 768)])
  func eightBitWeightsFitTheirRoom(neurons: Int, width: Int) {
    let layout = HopperEnergies.Layout(
      .eightBitTwoOfFour, tokens: 0, width: width, neurons: neurons, block: 128, isWhole: true)
    let bytes = 2 * BlockEnergies.eightBitWords(neurons: neurons, width: width)
    #expect(layout.bytes == (bytes + 255) / 256 * 256)
  }

  /// Parts of the work memory of block sums hold what they must, and do not overlap.
  @Test(arguments: HopperEnergies.Factors.allCases, [true, false])
  func energiesHaveTheirWorkMemory(factors: HopperEnergies.Factors, isWhole: Bool) {
    let (tokens, width, neurons) = (300, 144, 520)
    let layout = HopperEnergies.Layout(
      factors, tokens: tokens, width: width, neurons: neurons, block: 128, isWhole: isWhole)
    let needed: (rows: Int, weights: Int, scales: Int) =
      switch factors {
      case .eightBit: (tokens * width, neurons * width, neurons * 4)
      case .eightBitTwoOfFour: (tokens * width, 5 * 2 * 10240 + neurons * 4, 0)
      case .twoOfFour: (0, 5 * 3 * 9216, 0)
      case .bfloat16: (0, 0, 0)
      }
    var end = 0
    for (start, bytes) in [
      (layout.rows, needed.rows), (layout.weights, needed.weights),
      (layout.scales, needed.scales), (layout.sums, isWhole ? 0 : 3 * neurons * 4),
    ] where bytes > 0 {
      #expect(start >= end && start % 256 == 0)
      end = start + bytes
    }
    #expect(layout.bytes >= end && layout.bytes < end + 256)
  }
}
