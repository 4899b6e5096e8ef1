import Compute
import Glibc

extension CaseList {
  static var crossEntropy: [OperationCase] {
    var cases: [OperationCase] = []
    for vocabulary in [1, 2, 5, 16, 31, 32, 33, 65, 257] {
      for scale in [nil, 1, 0.25] as [Float?] {
        for sliced in [false, true] {
          cases.append(
            crossEntropy(
              rows: 5, vocabulary: vocabulary, gradientScale: scale, sliced: sliced))
        }
      }
    }
    // Far apart, and far from zero: only the subtracted maximum saves the exponentials.
    cases.append(crossEntropy(rows: 9, vocabulary: 33, gradientScale: 1, deviation: 30))
    cases.append(
      crossEntropy(rows: 9, vocabulary: 33, gradientScale: 0.5, deviation: 30, shift: 5000))
    // Rows that one, two, four and eight blocks of the Hopper kernel share, and longer ones.
    for vocabulary in [520, 33000, 70000, 131080, 270000] {
      cases.append(crossEntropy(rows: 3, vocabulary: vocabulary, gradientScale: 0.5))
    }
    return cases
  }

  static func crossEntropy(
    rows: Int, vocabulary: Int, gradientScale: Float?, deviation: Double = 2, shift: Double = 0,
    sliced: Bool = false
  ) -> OperationCase {
    let logits: CaseValues = .floats { _ in
      var random = CaseRandom(1)
      return (0..<rows * vocabulary).map { _ in Float(random.normal() * deviation + shift) }
    }
    // Every fifth target is ignored.
    let targets: CaseValues = .int32 {
      var random = CaseRandom(2)
      return (0..<rows).map { $0 % 5 == 3 ? -1 : Int32(random.below(vocabulary)) }
    }
    @Sendable func losses(_ numbers: CaseNumbers) -> [Double] {
      let z = numbers["logits"]
      let targets = numbers["targets"]
      return (0..<rows).map { row in
        let target = targets.int(0, row)
        guard target >= 0 else { return 0 }
        return logSumExp(z, row) - z[row, target]
      }
    }
    let size = deviation * 4 + shift
    return OperationCase(
      "CrossEntropy",
      "\(rows) x \(vocabulary)\(gradientScale.map { ", gradient x \($0)" } ?? "")"
        + "\(sliced ? ", sliced" : "")\(deviation > 2 ? ", far apart" : "")"
        + "\(shift > 0 ? ", far from zero" : "")",
      [
        gradientScale == nil
          ? .input("logits", rows, vocabulary, logits, sliced: sliced)
          : .update("logits", rows, vocabulary, logits, sliced: sliced),
        .input("targets", 1, rows, targets),
        .output("losses", 1, rows, alwaysFloat32: true),
      ],
      tolerance: Tolerance(
        roundings: 8, magnitude: size + 4,
        reason: "exponentials of differences of logits, and the logarithm of their sum"),
      // A difference takes the whole reference for every logit.
      derivative: (vocabulary < 1000 ? gradientScale : nil).map { scale in
        Derivative([.init(variable: "logits", gradient: "logits", accumulates: false)]) {
          losses($0).reduce(0, +) * Double(scale)
        }
      },
      make: {
        CrossEntropy(
          logits: $0["logits"], targets: $0["targets"], losses: $0["losses"],
          gradientScale: gradientScale)
      }, run: { try $0.run($1) },
      reference: { numbers in
        let z = numbers["logits"]
        let targets = numbers["targets"]
        numbers["losses"].values = losses(numbers)
        guard let scale = gradientScale else { return }
        for row in 0..<rows {
          let target = targets.int(0, row)
          let total = logSumExp(z, row)
          for column in 0..<vocabulary {
            let gradient = exp(z[row, column] - total) - (column == target ? 1 : 0)
            numbers.add(
              (target < 0 ? 0 : Double(scale) * gradient) - z[row, column], to: "logits", row,
              column)
          }
        }
      })
  }

  private static func logSumExp(_ z: CaseMatrix, _ row: Int) -> Double {
    var largest = -Double.infinity
    for column in 0..<z.columns { largest = max(largest, z[row, column]) }
    var sum = 0.0
    for column in 0..<z.columns { sum += exp(z[row, column] - largest) }
    return largest + log(sum)
  }
}
