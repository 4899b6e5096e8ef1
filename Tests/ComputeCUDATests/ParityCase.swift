import Compute
import Testing

/// One operation at one size: what it leaves behind is compared between CPU and GPU.
struct ParityCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// Whether results must be equal bit for bit: choices and copies.
  var isExact = false
  /// Runs the operation and returns everything it wrote.
  let body: @Sendable (Machine) throws -> [TensorView]

  var testDescription: String { name }

  init(
    _ name: String, exact: Bool = false,
    _ body: @escaping @Sendable (Machine) throws -> [TensorView]
  ) {
    self.name = name
    isExact = exact
    self.body = body
  }

  /// The results as floats.
  func run(_ machine: Machine) throws -> [[Float]] {
    let written = try body(machine)
    return try written.map(machine.read)
  }
}

/// A token order, lists of kept neurons, and the sizes of a packed pattern.
struct PatternSizes: Sendable {
  var tokens = 300
  var width = 72
  var neurons = 200
  var kept = 48
  var block = 128
  var isRouted = true
  /// Elements between rows of an output.
  var gap = 2

  var blocks: Int { PackedPattern.blocks(tokens: tokens, blockTokens: block) }

  func pattern(_ machine: Machine) throws -> PackedPattern {
    var random = SplitMix(77)
    let lists = (0..<blocks).map { _ in
      var all = Array(0..<neurons)
      for index in 0..<kept { all.swapAt(index, index + random.below(neurons - index)) }
      return all.prefix(kept).sorted()
    }
    return PackedPattern(
      order: isRouted ? try order(machine) : nil, columns: try machine.columns(lists),
      blockTokens: block)
  }

  func order(_ machine: Machine) throws -> TensorView {
    var random = SplitMix(78)
    var tokens = Array(0..<self.tokens)
    for index in tokens.indices {
      tokens.swapAt(index, index + random.below(tokens.count - index))
    }
    return try machine.integers(tokens.map(Int32.init))
  }
}
