import Compute
import Glibc

extension CaseList {
  static var rotaryEmbedding: [OperationCase] {
    var cases: [OperationCase] = []
    for headWidth in [2, 4, 6, 10, 16, 18, 34] {
      for inverse in [false, true] {
        cases.append(
          rotary(sequences: 2, length: 3, heads: 3, headWidth: headWidth, inverse: inverse))
        cases.append(
          rotary(
            sequences: 1, length: 5, heads: 1, headWidth: headWidth, firstPosition: 7,
            inverse: inverse, sliced: true))
      }
    }
    return cases
  }

  /// Cosines and sines of every position's angles.
  static func rotaryTable(positions: Int, headWidth: Int) -> CaseValues {
    let half = headWidth / 2
    return .floats { _ in
      (0..<positions * headWidth).map { index in
        let (position, column) = index.quotientAndRemainder(dividingBy: headWidth)
        let angle = Double(position) * pow(10000, -Double(column % half) / Double(half))
        return Float(column < half ? cos(angle) : sin(angle))
      }
    }
  }

  static func rotary(
    sequences: Int, length: Int, heads: Int, headWidth: Int, firstPosition: Int = 0,
    inverse: Bool = false, sliced: Bool = false
  ) -> OperationCase {
    let rows = sequences * length
    let columns = heads * headWidth
    let half = headWidth / 2
    let positions = firstPosition + length
    let table = rotaryTable(positions: positions, headWidth: headWidth)
    /// The definition: pairs (j, j + half) turn by the angle in the table.
    @Sendable func rotated(_ x: CaseMatrix, _ table: CaseMatrix, sign: Double) -> CaseMatrix {
      var y = x
      for row in 0..<rows {
        let position = firstPosition + row % length
        for head in 0..<heads {
          for j in 0..<half {
            let (a, b) = (head * headWidth + j, head * headWidth + j + half)
            let (c, s) = (table[position, j], sign * table[position, j + half])
            y[row, a] = x[row, a] * c - x[row, b] * s
            y[row, b] = x[row, b] * c + x[row, a] * s
          }
        }
      }
      return y
    }
    return OperationCase(
      "RotaryEmbedding",
      "\(sequences) x \(length), \(heads) heads of \(headWidth), from \(firstPosition)"
        + "\(inverse ? ", inverse" : "")\(sliced ? ", sliced" : "")",
      [
        .update("values", rows, columns, .normal(rows * columns, seed: 1), sliced: sliced),
        .input("table", positions, headWidth, table, alwaysFloat32: true),
        .hidden("input", rows, columns, .normal(inverse ? rows * columns : 0, seed: 2)),
      ].filter { inverse || $0.role != .hidden },
      tolerance: Tolerance(roundings: 4, magnitude: 4, reason: "two products, one sum"),
      // Turning back is the gradient of turning.
      derivative: inverse
        ? Derivative([.init(variable: "input", gradient: "values", accumulates: false)]) {
          let turned = rotated($0["input"], $0["table"], sign: 1)
          return zip(turned.values, $0["values"].values).reduce(0) { $0 + $1.0 * $1.1 }
        } : nil,
      make: {
        RotaryEmbedding(
          values: $0["values"], table: $0["table"], headWidth: headWidth, sequenceLength: length,
          firstPosition: firstPosition, inverse: inverse)
      }, run: { try $0.run($1) },
      reference: {
        $0["values"] = rotated($0["values"], $0["table"], sign: inverse ? -1 : 1)
      })
  }
}
