import Compute
import Glibc

/// The sizes of an attention case.
struct AttentionShape: Sendable, CustomStringConvertible {
  var sequences: Int
  var queryLength: Int
  var keyLength: Int
  var heads: Int
  var keyValueHeads: Int
  var headWidth: Int
  var sliced = false
  /// Scores this much larger than usual make the softmax sharp.
  var sharpness = 1.0

  var geometry: Attention.Geometry {
    Attention.Geometry(
      sequences: sequences, queryLength: queryLength, keyLength: keyLength, heads: heads,
      keyValueHeads: keyValueHeads, headWidth: headWidth)
  }

  var queryRows: Int { sequences * queryLength }
  var keyRows: Int { sequences * keyLength }
  var queryWidth: Int { heads * headWidth }
  var keyWidth: Int { keyValueHeads * headWidth }

  var description: String {
    "\(sequences) x \(queryLength) of \(keyLength), \(heads)/\(keyValueHeads) heads of "
      + "\(headWidth)\(sliced ? ", sliced" : "")\(sharpness > 1 ? ", sharp" : "")"
  }

  /// Query, key and value.
  var inputs: [CaseTensor] {
    [
      .input(
        "query", queryRows, queryWidth,
        .normal(queryRows * queryWidth, seed: 1, deviation: sharpness), sliced: sliced),
      .input("key", keyRows, keyWidth, .normal(keyRows * keyWidth, seed: 2), sliced: sliced),
      .input("value", keyRows, keyWidth, .normal(keyRows * keyWidth, seed: 3), sliced: sliced),
    ]
  }

  /// The softmax weights of one query, and the logarithm of their sum.
  func weights(
    _ query: CaseMatrix, _ key: CaseMatrix, sequence: Int, head: Int, position: Int
  ) -> (weights: [Double], logSumExp: Double) {
    let row = sequence * queryLength + position
    let keyHead = head / (heads / keyValueHeads)
    let visible = position + keyLength - queryLength + 1
    var scores = (0..<visible).map { other -> Double in
      var sum = 0.0
      for j in 0..<headWidth {
        sum +=
          query[row, head * headWidth + j]
          * key[sequence * keyLength + other, keyHead * headWidth + j]
      }
      return sum / Double(headWidth).squareRoot()
    }
    let largest = scores.reduce(-Double.infinity, max)
    let total = scores.reduce(0) { $0 + exp($1 - largest) }
    for index in scores.indices { scores[index] = exp(scores[index] - largest) / total }
    return (scores, largest + log(total))
  }

  /// Output and logSumExp, by the definition.
  func forward(_ numbers: CaseNumbers) -> (output: CaseMatrix, logSumExp: CaseMatrix) {
    let (query, key, value) = (numbers["query"], numbers["key"], numbers["value"])
    var output = CaseMatrix(rows: queryRows, columns: queryWidth)
    var logs = CaseMatrix(rows: sequences * heads, columns: queryLength)
    for sequence in 0..<sequences {
      for head in 0..<heads {
        let keyColumn = head / (heads / keyValueHeads) * headWidth
        for position in 0..<queryLength {
          let row = sequence * queryLength + position
          let (weights, logSumExp) = weights(
            query, key, sequence: sequence, head: head, position: position)
          logs[sequence * heads + head, position] = logSumExp
          for (other, weight) in weights.enumerated() {
            for j in 0..<headWidth {
              output[row, head * headWidth + j] +=
                weight * value[sequence * keyLength + other, keyColumn + j]
            }
          }
        }
      }
    }
    return (output, logs)
  }
}

extension CaseList {
  private static var attentionShapes: [AttentionShape] {
    var shapes: [AttentionShape] = []
    for (heads, keyValueHeads) in [(1, 1), (3, 1), (4, 2)] {
      for (length, width) in [(1, 1), (2, 3), (5, 4), (7, 2)] {
        for sliced in [false, true] {
          shapes.append(
            AttentionShape(
              sequences: 2, queryLength: length, keyLength: length, heads: heads,
              keyValueHeads: keyValueHeads, headWidth: width, sliced: sliced))
        }
      }
    }
    shapes.append(
      AttentionShape(
        sequences: 1, queryLength: 6, keyLength: 6, heads: 2, keyValueHeads: 1, headWidth: 4,
        sharpness: 30))
    return shapes
  }

  static var attention: [OperationCase] {
    var cases = attentionShapes.flatMap { [attentionForward($0), attentionBackward($0)] }
    // Decoding from a cache: the queries are the last of the keys.
    for (queries, keys) in [(1, 9), (3, 8), (1, 100), (97, 130)] {
      cases.append(
        attentionForward(
          AttentionShape(
            sequences: 2, queryLength: queries, keyLength: keys, heads: 2, keyValueHeads: 1,
            headWidth: 5)))
    }
    // Longer than a block of queries, a width that is no multiple of a vector.
    for length in [96, 97, 200] {
      let shape = AttentionShape(
        sequences: 1, queryLength: length, keyLength: length, heads: 2, keyValueHeads: 1,
        headWidth: 9)
      cases.append(attentionForward(shape))
      cases.append(attentionBackward(shape, differentiates: false))
    }
    return cases
  }

  /// Whole causal sequences of bfloat16-friendly widths, and what only plain kernels take.
  static var attentionTiles: [OperationCase] {
    [
      (3, 128, 128, 3, 3, 64), (2, 128, 128, 4, 2, 64), (1, 256, 256, 3, 3, 128),
      (1, 384, 384, 6, 2, 64), (2, 70, 70, 4, 2, 16), (1, 5, 40, 4, 4, 128),
      (1, 96, 96, 2, 2, 256),
    ].flatMap { (sequences: Int, q: Int, k: Int, heads: Int, keyHeads: Int, width: Int) in
      let shape = AttentionShape(
        sequences: sequences, queryLength: q, keyLength: k, heads: heads,
        keyValueHeads: keyHeads, headWidth: width)
      return [attentionForward(shape)]
        + (q == k ? [attentionBackward(shape, differentiates: false)] : [])
    }
  }

  static func attentionForward(_ shape: AttentionShape) -> OperationCase {
    OperationCase(
      "Attention.Forward", "\(shape)",
      shape.inputs + [
        .output("output", shape.queryRows, shape.queryWidth, sliced: shape.sliced),
        .output(
          "logSumExp", shape.sequences * shape.heads, shape.queryLength, alwaysFloat32: true),
      ],
      tolerance: Tolerance(
        roundings: 16 + 2 * Double(shape.headWidth + shape.keyLength).squareRoot(),
        magnitude: shape.sharpness, storageRoundings: 1,
        reason: "scores, exponentials and two sums in float32"),
      make: { forward(shape, $0) }, run: { try $0.run($1) },
      reference: { numbers in
        let (output, logSumExp) = shape.forward(numbers)
        numbers["output"] = output
        numbers["logSumExp"] = logSumExp
      })
  }

  static func attentionBackward(
    _ shape: AttentionShape, differentiates: Bool = true
  ) -> OperationCase {
    let (rows, width) = (shape.queryRows, shape.queryWidth)
    let sliced = shape.sliced
    return OperationCase(
      "Attention.Backward", "\(shape)",
      shape.inputs + [
        // What the forward pass left behind.
        .input(
          "output", rows, width,
          .derived { shape.forward($0).output.values.map { Float($0) } }, sliced: sliced),
        .input(
          "logSumExp", shape.sequences * shape.heads, shape.queryLength,
          .derived { shape.forward($0).logSumExp.values.map { Float($0) } },
          alwaysFloat32: true),
        .input("outputGradient", rows, width, .normal(rows * width, seed: 4), sliced: sliced),
        .output("queryGradient", rows, width, sliced: sliced),
        .output("keyGradient", shape.keyRows, shape.keyWidth, sliced: sliced),
        .output("valueGradient", shape.keyRows, shape.keyWidth, sliced: sliced),
      ],
      tolerance: Tolerance(
        roundings: 32 + 4 * Double(shape.headWidth + shape.keyLength).squareRoot(),
        magnitude: 2 * shape.sharpness * Double(shape.heads), storageRoundings: 2,
        reason: "recomputed scores and exponentials, and five sums in float32"),
      derivative: differentiates
        ? Derivative([
          .init(variable: "query", gradient: "queryGradient", accumulates: false),
          .init(variable: "key", gradient: "keyGradient", accumulates: false),
          .init(variable: "value", gradient: "valueGradient", accumulates: false),
        ]) {
          zip(shape.forward($0).output.values, $0["outputGradient"].values).reduce(0) {
            $0 + $1.0 * $1.1
          }
        } : nil,
      make: {
        Attention.Backward(
          of: forward(shape, $0), outputGradient: $0["outputGradient"],
          queryGradient: $0["queryGradient"], keyGradient: $0["keyGradient"],
          valueGradient: $0["valueGradient"])
      }, run: { try $0.run($1) },
      reference: { attentionGradients(shape, &$0) })
  }

  private static func forward(_ shape: AttentionShape, _ views: CaseViews) -> Attention.Forward {
    Attention.Forward(
      geometry: shape.geometry, query: views["query"], key: views["key"], value: views["value"],
      output: views["output"], logSumExp: views["logSumExp"])
  }

  /// dS = P ⊙ (dP − Σ P dP), then the products; everything recomputed from the inputs.
  private static func attentionGradients(_ s: AttentionShape, _ numbers: inout CaseNumbers) {
    let (query, key, value) = (numbers["query"], numbers["key"], numbers["value"])
    let gradient = numbers["outputGradient"]
    var (dq, dk, dv) = (
      numbers["queryGradient"], numbers["keyGradient"], numbers["valueGradient"]
    )
    let scale = 1 / Double(s.headWidth).squareRoot()
    for sequence in 0..<s.sequences {
      for head in 0..<s.heads {
        let column = head * s.headWidth
        let keyColumn = head / (s.heads / s.keyValueHeads) * s.headWidth
        for position in 0..<s.queryLength {
          let row = sequence * s.queryLength + position
          let weights = s.weights(
            query, key, sequence: sequence, head: head, position: position
          ).weights
          let slopes = weights.indices.map { other in
            (0..<s.headWidth).reduce(0.0) {
              $0 + gradient[row, column + $1]
                * value[sequence * s.keyLength + other, keyColumn + $1]
            }
          }
          let mean = zip(weights, slopes).reduce(0.0) { $0 + $1.0 * $1.1 }
          for (other, weight) in weights.enumerated() {
            let keyRow = sequence * s.keyLength + other
            let slope = weight * (slopes[other] - mean) * scale
            for j in 0..<s.headWidth {
              dq[row, column + j] += slope * key[keyRow, keyColumn + j]
              dk[keyRow, keyColumn + j] += slope * query[row, column + j]
              dv[keyRow, keyColumn + j] += weight * gradient[row, column + j]
            }
          }
        }
      }
    }
    numbers["queryGradient"] = dq
    numbers["keyGradient"] = dk
    numbers["valueGradient"] = dv
  }
}
