import Compute

extension CaseList {
  static var rmsNorm: [OperationCase] {
    var cases: [OperationCase] = []
    for width in [1, 2, 3, 7, 16, 17, 31, 33, 65] {
      for rows in [1, 3, 5] {
        for sliced in [false, true] {
          cases.append(rmsNormForward(rows: rows, width: width, sliced: sliced))
          cases.append(rmsNormBackward(rows: rows, width: width, sliced: sliced))
        }
      }
      cases.append(rmsNormForward(rows: 4, width: width, isAwkward: true))
      cases.append(rmsNormForward(rows: 7, width: width, isOrdered: true))
      cases.append(rmsNormForward(rows: 7, width: 8 * width, isOrdered: true))
    }
    for width in [3, 16, 72] {
      for sliced in [false, true] {
        cases.append(rmsNormBackward(rows: 19, width: width, sliced: sliced, isCopied: true))
      }
    }
    // More rows than a lane's share, so that partial sums are combined.
    cases.append(rmsNormBackward(rows: 261, width: 5))
    return cases
  }

  private static let epsilon: Float = 1e-5

  static func rmsNormForward(
    rows: Int, width: Int, sliced: Bool = false, isAwkward: Bool = false,
    isOrdered: Bool = false
  ) -> OperationCase {
    let values: CaseValues =
      isAwkward ? .awkward(rows * width, seed: 1) : .normal(rows * width, seed: 1)
    return OperationCase(
      "RMSNorm.Forward",
      "\(rows) x \(width)\(sliced ? ", sliced" : "")\(isAwkward ? ", awkward" : "")"
        + "\(isOrdered ? ", ordered" : "")",
      [
        .input("input", rows, width, values, sliced: sliced),
        .input("weight", 1, width, .normal(width, seed: 2), alwaysFloat32: true),
        .input("order", 1, rows, .permutation(rows, seed: 3)),
        .output("output", rows, width, sliced: sliced),
        .output("inverseRMS", 1, rows, alwaysFloat32: true),
      ],
      tolerance: Tolerance(roundings: 8, magnitude: 0.5, reason: "a square root and four factors"),
      make: {
        RMSNorm.Forward(
          input: $0["input"], weight: $0["weight"], output: $0["output"],
          inverseRMS: $0["inverseRMS"], epsilon: epsilon,
          order: isOrdered ? $0["order"] : nil)
      }, run: { try $0.run($1) },
      reference: { numbers in
        let x = numbers["input"]
        let inverse = inverseRMS(x)
        let weight = numbers["weight"]
        numbers["inverseRMS"].values = inverse
        let order = numbers["order"]
        numbers["output"].fill { row, column in
          let from = isOrdered ? order.int(0, row) : row
          return x[from, column] * inverse[from] * weight[column]
        }
      })
  }

  static func rmsNormBackward(
    rows: Int, width: Int, sliced: Bool = false, isCopied: Bool = false
  ) -> OperationCase {
    let count = rows * width
    let inverse: CaseValues = .derived { inverseRMS($0["input"]).map { Float($0) } }
    return OperationCase(
      "RMSNorm.Backward",
      "\(rows) x \(width)\(sliced ? ", sliced" : "")\(isCopied ? ", copied" : "")",
      [
        .input("outputGradient", rows, width, .normal(count, seed: 3), sliced: sliced),
        .input("input", rows, width, .normal(count, seed: 1), sliced: sliced),
        .input("weight", 1, width, .normal(width, seed: 2), alwaysFloat32: true),
        .input("inverseRMS", 1, rows, inverse, alwaysFloat32: true),
        .update("inputGradient", rows, width, .normal(count, seed: 4), sliced: sliced),
        .update("weightGradient", 1, width, .normal(width, seed: 5), alwaysFloat32: true),
        .input("order", 1, rows, .permutation(rows, seed: 6)),
        .output("copy", isCopied ? rows : 0, width, sliced: sliced),
      ],
      // The pull towards the mean is divided by the cube of the root mean square: narrow rows
      // that happen to be small make large terms that cancel.
      tolerance: Tolerance(
        roundings: 64, magnitude: width < 4 ? 32 : 2 + Double(rows).squareRoot() / 2,
        storageRoundings: 2, reason: "terms with the third power of 1/RMS cancel"),
      derivative: rows * width > 200
        ? nil
        : Derivative([
          .init(variable: "input", gradient: "inputGradient", accumulates: true),
          .init(variable: "weight", gradient: "weightGradient", accumulates: true),
        ]) { numbers in
          let x = numbers["input"]
          let inverse = inverseRMS(x)
          let weight = numbers["weight"]
          let gradient = numbers["outputGradient"]
          var sum = 0.0
          for row in 0..<rows {
            for column in 0..<width {
              sum += gradient[row, column] * x[row, column] * inverse[row] * weight[column]
            }
          }
          return sum
        },
      make: {
        RMSNorm.Backward(
          outputGradient: $0["outputGradient"], input: $0["input"], weight: $0["weight"],
          inverseRMS: $0["inverseRMS"], inputGradient: $0["inputGradient"],
          weightGradient: $0["weightGradient"],
          copy: isCopied
            ? RMSNorm.OrderedCopy(order: $0["order"], rows: $0["copy"]) : nil)
      }, run: { try $0.run($1) },
      reference: { numbers in
        let x = numbers["input"]
        let g = numbers["outputGradient"]
        let weight = numbers["weight"]
        let inverse = numbers["inverseRMS"]
        for row in 0..<rows {
          let r = inverse[row]
          var mean = 0.0
          for column in 0..<width {
            mean += g[row, column] * weight[column] * x[row, column] / Double(width)
          }
          for column in 0..<width {
            numbers.add(
              r * (g[row, column] * weight[column] - x[row, column] * r * r * mean),
              to: "inputGradient", row, column)
            numbers.add(g[row, column] * x[row, column] * r, to: "weightGradient", 0, column)
          }
        }
        let gradient = numbers["inputGradient"]
        let order = numbers["order"]
        numbers["copy"].fill { gradient[order.int(0, $0), $1] }
      })
  }

  static func inverseRMS(_ x: CaseMatrix) -> [Double] {
    (0..<x.rows).map { row in
      var sum = 0.0
      for column in 0..<x.columns { sum += x[row, column] * x[row, column] }
      return 1 / (sum / Double(x.columns) + Double(epsilon)).squareRoot()
    }
  }
}
