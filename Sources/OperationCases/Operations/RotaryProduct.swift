import Compute

/// The sizes of a projection whose first heads turn.
struct RotaryProductShape: Sendable, CustomStringConvertible {
  var sequences: Int
  var length: Int
  /// Heads that turn, and columns behind them that do not.
  var heads: Int
  var rest: Int
  var headWidth: Int
  var depth: Int
  var firstPosition = 0
  var slicing = CaseSlicing.none

  var rows: Int { sequences * length }
  var turned: Int { heads * headWidth }
  var columns: Int { turned + rest }

  var description: String {
    "\(sequences) x \(length), \(heads) heads of \(headWidth) and \(rest), depth \(depth), from "
      + "\(firstPosition)\(slicing == .none ? "" : ", sliced \(slicing)")"
  }
}

extension CaseList {
  static var rotaryProduct: [OperationCase] {
    [
      RotaryProductShape(sequences: 2, length: 3, heads: 3, rest: 4, headWidth: 4, depth: 5),
      RotaryProductShape(
        sequences: 1, length: 5, heads: 1, rest: 0, headWidth: 6, depth: 9, firstPosition: 7,
        slicing: .odd),
      RotaryProductShape(sequences: 3, length: 7, heads: 2, rest: 9, headWidth: 2, depth: 1),
    ].map(rotaryProduct)
  }

  /// Whole tiles, short last ones, tiles of which a part turns, more tiles than multiprocessors.
  static var rotaryProductTiles: [OperationCase] {
    [
      RotaryProductShape(sequences: 2, length: 128, heads: 4, rest: 128, headWidth: 64, depth: 64),
      RotaryProductShape(
        sequences: 3, length: 70, heads: 7, rest: 72, headWidth: 64, depth: 200,
        firstPosition: 5, slicing: .aligned),
      RotaryProductShape(sequences: 2, length: 65, heads: 3, rest: 128, headWidth: 128, depth: 136),
      RotaryProductShape(sequences: 1, length: 300, heads: 2, rest: 0, headWidth: 128, depth: 8),
      RotaryProductShape(sequences: 25, length: 84, heads: 24, rest: 776, headWidth: 64, depth: 8),
      RotaryProductShape(sequences: 1, length: 40, heads: 3, rest: 24, headWidth: 32, depth: 64),
    ].map(rotaryProduct)
  }

  static func rotaryProduct(_ shape: RotaryProductShape) -> OperationCase {
    let s = shape
    let half = s.headWidth / 2
    let positions = s.firstPosition + s.length
    return OperationCase(
      "RotaryProduct", "\(s)",
      [
        .input("left", s.rows, s.depth, .normal(s.rows * s.depth, seed: 1), slicing: s.slicing),
        .input(
          "right", s.columns, s.depth, .normal(s.columns * s.depth, seed: 2), slicing: s.slicing),
        .input(
          "table", positions, s.headWidth,
          rotaryTable(positions: positions, headWidth: s.headWidth), alwaysFloat32: true),
        .output("output", s.rows, s.columns, slicing: s.slicing),
      ],
      // Turning adds two numbers, each of which may have been rounded when it was stored.
      tolerance: .sum(
        of: s.depth + 4, magnitude: 2, storageRoundings: 1,
        storageMagnitude: 4 * Double(s.depth).squareRoot()),
      make: {
        RotaryProduct(
          MatrixMultiply($0["left"], $0["right"], transposeRight: true, into: $0["output"]),
          turn: RotaryEmbedding(
            values: $0["output"].columns(0..<s.turned), table: $0["table"],
            headWidth: s.headWidth, sequenceLength: s.length, firstPosition: s.firstPosition))
      }, run: { try $0.run($1) },
      reference: { numbers in
        let (left, right, table) = (numbers["left"], numbers["right"], numbers["table"])
        func product(_ row: Int, _ column: Int) -> Double {
          (0..<s.depth).reduce(0) { $0 + left[row, $1] * right[column, $1] }
        }
        numbers["output"].fill { row, column in
          guard column < s.turned else { return product(row, column) }
          let place = column % s.headWidth
          let position = s.firstPosition + row % s.length
          let cosine = table[position, place % half]
          let sine = table[position, half + place % half]
          return place < half
            ? product(row, column) * cosine - product(row, column + half) * sine
            : product(row, column) * cosine + product(row, column - half) * sine
        }
      })
  }
}
