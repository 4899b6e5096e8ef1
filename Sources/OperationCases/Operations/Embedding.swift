import Compute

extension CaseList {
  static var embedding: [OperationCase] {
    var cases: [OperationCase] = []
    for width in [1, 3, 8, 17, 33, 130] {
      for (tokens, vocabulary) in [(1, 1), (7, 3), (70, 11)] {
        for sliced in [false, true] {
          cases.append(
            embeddingForward(
              tokens: tokens, vocabulary: vocabulary, width: width, sliced: sliced))
          cases.append(
            embeddingBackward(
              tokens: tokens, vocabulary: vocabulary, width: width, sliced: sliced))
          cases.append(
            embeddingBackward(
              tokens: tokens, vocabulary: vocabulary, width: width, sliced: sliced,
              replacing: width % 2 == 0 ? .storage : .float32))
        }
      }
    }
    // Blocks that walk along a row, and rows of no token.
    for type in [Replacing.float32, .storage] {
      cases.append(
        embeddingBackward(tokens: 40, vocabulary: 300, width: 2560, replacing: type))
      // Ids of so many tokens that some are added chunk by chunk.
      cases.append(
        embeddingBackward(tokens: 301, vocabulary: 3, width: 24, replacing: type))
    }
    return cases
  }

  /// What a table's gradient that replaces another is stored in.
  enum Replacing: String { case float32, storage }

  static func embeddingForward(
    tokens: Int, vocabulary: Int, width: Int, sliced: Bool = false
  ) -> OperationCase {
    OperationCase(
      "Embedding.Forward",
      "\(tokens) of \(vocabulary) x \(width)\(sliced ? ", sliced" : "")",
      [
        .input("tokens", 1, tokens, .tokens(tokens, below: vocabulary, seed: 1)),
        .input(
          "table", vocabulary, width, .awkward(vocabulary * width, seed: 2), sliced: sliced),
        .output("output", tokens, width, sliced: sliced),
      ], tolerance: .exact,
      make: {
        Embedding.Forward(tokens: $0["tokens"], table: $0["table"], output: $0["output"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let table = numbers["table"]
        let ids = numbers["tokens"]
        numbers["output"].fill { table[ids.int(0, $0), $1] }
      })
  }

  static func embeddingBackward(
    tokens: Int, vocabulary: Int, width: Int, sliced: Bool = false, replacing: Replacing? = nil
  ) -> OperationCase {
    OperationCase(
      "Embedding.Backward",
      "\(tokens) of \(vocabulary) x \(width)\(sliced ? ", sliced" : "")"
        + (replacing.map { ", replacing in \($0.rawValue)" } ?? ""),
      [
        .input("tokens", 1, tokens, .tokens(tokens, below: vocabulary, seed: 1)),
        .hidden("table", vocabulary, width, .normal(vocabulary * width, seed: 2)),
        .input(
          "outputGradient", tokens, width, .normal(tokens * width, seed: 3), sliced: sliced),
        replacing == nil
          ? .update(
            "tableGradient", vocabulary, width, .normal(vocabulary * width, seed: 4),
            sliced: sliced, alwaysFloat32: true)
          : .output(
            "tableGradient", vocabulary, width, sliced: sliced,
            alwaysFloat32: replacing == .float32),
      ],
      tolerance: .sum(of: (tokens + vocabulary - 1) / vocabulary + 4),
      derivative: vocabulary * width > 400
        ? nil
        : Derivative([
          .init(variable: "table", gradient: "tableGradient", accumulates: replacing == nil)
        ]) {
          let table = $0["table"]
          let ids = $0["tokens"]
          let gradient = $0["outputGradient"]
          var sum = 0.0
          for token in 0..<tokens {
            for column in 0..<width {
              sum += table[ids.int(0, token), column] * gradient[token, column]
            }
          }
          return sum
        },
      make: {
        Embedding.Backward(
          tokens: $0["tokens"], outputGradient: $0["outputGradient"],
          tableGradient: $0["tableGradient"], replaces: replacing != nil)
      }, run: { try $0.run($1) },
      reference: { numbers in
        let ids = numbers["tokens"]
        let gradient = numbers["outputGradient"]
        if replacing != nil { numbers["tableGradient"].fill { _, _ in 0 } }
        for token in 0..<tokens {
          for column in 0..<width {
            numbers.add(gradient[token, column], to: "tableGradient", ids.int(0, token), column)
          }
        }
      })
  }
}
