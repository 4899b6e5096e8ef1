/// How the block sums of a product are cut for `hopper/block_energies.cu` and
/// `hopper/two_four_energies.cu`: a pure choice.
package struct HopperEnergies: Equatable {
  static let file = "hopper/block_energies.cu"
  /// The file of the kernels for 2:4 weights in 8 bits.
  static let twoFourFile = "hopper/two_four_energies.cu"
  /// Shared memory of a block.
  package static let sharedBytes = 196672
  /// The same, where weights are 2:4 and in 8 bits.
  package static let twoFourSharedBytes = 215120
  /// 2:4 weights of 128 neurons x 128 columns in 8 bits, and their positions.
  package static let imageBytes = 10240

  /// What is multiplied.
  package enum Factors: Sendable, CaseIterable {
    /// Both in e4m3.
    case eightBit
    /// Both in e4m3, and the weights 2:4 compressed.
    case eightBitTwoOfFour
    /// bfloat16 and 2:4 compressed bfloat16.
    case twoOfFour
    /// Both in bfloat16.
    case bfloat16

    var areEightBit: Bool { self == .eightBit || self == .eightBitTwoOfFour }
  }

  /// Thread blocks, a multiple of two.
  package let grid: Int
  /// Tiles of neurons that are finished for all tokens before the next ones.
  package let group = 8

  /// Rows that the kernel sums at once for blocks of so many, whose sums are then added where blocks
  /// are longer; nil where it cannot.
  package static func block(of rows: Int) -> Int? {
    [128, 64, 32, 16, 8].first { rows % $0 == 0 }
  }

  /// Where the factors of neurons lie, behind their images.
  static func factors(after images: UInt64, neurons: Int, width: Int) -> UInt64 {
    images + UInt64((neurons + 127) / 128 * ((width + 127) / 128) * imageBytes)
  }

  /// The fastest kernel for blocks of which `block` rows are summed at once. Compressing weights has to
  /// pay.
  package static func factors(
    tokens: Int, width: Int, block: Int, isTwoOfFour: Bool, allowsEightBits: Bool
  ) -> Factors {
    let isEightBit = allowsEightBits && width % 16 == 0
    let isSparse = isTwoOfFour && tokens >= 2048 && block >= (isEightBit ? 32 : 128)
    return switch (isEightBit, isSparse) {
    case (true, true): .eightBitTwoOfFour
    case (true, false): .eightBit
    case (false, true): .twoOfFour
    case (false, false): .bfloat16
    }
  }

  /// As many pairs of blocks as there are tiles of 256 tokens x 256 neurons, or as fit the GPU.
  package init(tokens: Int, neurons: Int, multiprocessors: Int) {
    let tiles = ((tokens + 255) / 256) * ((neurons + 255) / 256)
    grid = min(tiles, multiprocessors / 2) * 2
  }

  /// Where parts of the work memory start.
  package struct Layout: Equatable {
    /// X in 8 bits.
    package private(set) var rows = 0
    /// U in 8 bits or compressed.
    package private(set) var weights = 0
    /// What sums of every neuron are multiplied by.
    package private(set) var scales = 0
    /// Sums of what the kernel takes for a block, where blocks are longer.
    package private(set) var sums = 0
    /// All of it.
    package private(set) var bytes = 0

    /// Parts by size; `hasRows` unless X comes in 8 bits already, `hasWeights` unless 2:4 U does.
    package init(
      _ factors: Factors, tokens: Int, width: Int, neurons: Int, block: Int,
      hasRows: Bool = true, hasWeights: Bool = true, isWhole: Bool
    ) {
      switch factors {
      case .eightBit:
        rows = take(hasRows ? tokens * width : 0)
        weights = take(neurons * width)
        scales = take(neurons * 4)
      case .eightBitTwoOfFour:
        rows = take(hasRows ? tokens * width : 0)
        let images = HopperEnergies.factors(after: 0, neurons: neurons, width: width)
        weights = take(hasWeights ? Int(images) + neurons * 4 : 0)
      case .twoOfFour:
        weights = take(
          (neurons + 127) / 128 * ((width + 63) / 64) * TwoFourTiles.imageBytes)
      case .bfloat16:
        break
      }
      sums = take(isWhole ? 0 : (tokens + block - 1) / block * neurons * 4)
    }

    private mutating func take(_ count: Int) -> Int {
      defer { bytes += DeviceMemory.partBytes(count) }
      return bytes
    }
  }
}
