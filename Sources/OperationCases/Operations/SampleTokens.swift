import Compute

extension CaseList {
  static var sampleTokens: [OperationCase] {
    var cases: [OperationCase] = []
    for tokens in [1, 4, 7, 8, 33] {
      for block in [1, 3, 4, 8] {
        for samples in [1, 2, 3, 8] {
          for halfway in [false, true] {
            cases.append(
              sampleTokens(
                tokens: tokens, blockTokens: block, samples: samples, halfway: halfway))
          }
        }
      }
    }
    return cases
  }

  static func sampleTokens(
    tokens: Int, blockTokens: Int, samples: Int, halfway: Bool = false
  ) -> OperationCase {
    let count = SampleTokens.count(tokens: tokens, blockTokens: blockTokens, samples: samples)
    return OperationCase(
      "SampleTokens",
      "\(samples) of \(blockTokens), \(tokens) tokens\(halfway ? ", halfway" : "")",
      [.output("output", 1, count, .int32)], tolerance: .exact,
      make: {
        SampleTokens(
          tokens: tokens, blockTokens: blockTokens, samples: samples, isHalfway: halfway,
          output: $0["output"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        var list: [Double] = []
        for start in stride(from: 0, to: tokens, by: blockTokens) {
          let length = min(blockTokens, tokens - start)
          let taken = min(samples, length)
          for j in 0..<taken {
            let place = (Double(j) + (halfway ? 0.5 : 0)) * Double(length) / Double(taken)
            list.append(Double(start) + place.rounded(.down))
          }
        }
        numbers["output"].values = list
      })
  }
}
