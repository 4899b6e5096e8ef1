import Compute
import Glibc

extension CaseList {
  static var adamW: [OperationCase] {
    [1, 7, 16, 33, 257].flatMap { count in
      [1, 2, 1000].flatMap { step in
        [0, 0.1].map {
          adamW(count: count, step: step, weightDecay: $0, withWeights: step == 2)
        }
      }
    }
      + [33, 257, 4096].map {
        adamW(count: $0, step: 2, weightDecay: 0.1, withWeights: true, narrow: true)
      }
  }

  static func adamW(
    count: Int, step: Int, weightDecay: Float, withWeights: Bool = false, narrow: Bool = false
  ) -> OperationCase {
    let (rate, beta1, beta2, epsilon, scale): (Float, Float, Float, Float, Float) =
      (1e-2, 0.9, 0.95, 1e-8, 0.25)
    return OperationCase(
      "AdamW",
      "\(count), step \(step), decay \(weightDecay)\(withWeights ? ", with weights" : "")"
        + (narrow ? ", gradients as stored" : ""),
      [
        .update("parameters", 1, count, .normal(count, seed: 1), alwaysFloat32: true),
        .input("gradients", 1, count, .normal(count, seed: 2), alwaysFloat32: !narrow),
        .update("firstMoment", 1, count, .normal(count, seed: 3), alwaysFloat32: true),
        .update("secondMoment", 1, count, .activations(count, seed: 4), alwaysFloat32: true),
      ] + (withWeights ? [.output("weights", 1, count)] : []),
      tolerance: Tolerance(
        roundings: 16, magnitude: 4,
        reason: "a dozen roundings; the moments' corrections are computed in double precision"),
      make: {
        AdamW(
          parameters: $0["parameters"], gradients: $0["gradients"],
          firstMoment: $0["firstMoment"], secondMoment: $0["secondMoment"],
          weights: withWeights ? $0["weights"] : nil, learningRate: rate,
          beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay,
          gradientScale: scale, step: step)
      }, run: { try $0.run($1) },
      reference: { numbers in
        let gradients = numbers["gradients"]
        var p = numbers["parameters"]
        var m = numbers["firstMoment"]
        var v = numbers["secondMoment"]
        let (b1, b2, lr) = (Double(beta1), Double(beta2), Double(rate))
        for index in 0..<count {
          let g = gradients[index] * Double(scale)
          m[index] = b1 * m[index] + (1 - b1) * g
          v[index] = b2 * v[index] + (1 - b2) * g * g
          let first = m[index] / (1 - pow(b1, Double(step)))
          let second = v[index] / (1 - pow(b2, Double(step)))
          p[index] -=
            lr * Double(weightDecay) * p[index] + lr * first
            / (second.squareRoot() + Double(epsilon))
        }
        numbers["parameters"] = p
        if withWeights { numbers["weights"] = p }
        numbers["firstMoment"] = m
        numbers["secondMoment"] = v
      })
  }
}
