import Compute

extension CaseList {
  static var squaredReLU: [OperationCase] {
    var cases: [OperationCase] = []
    for columns in [1, 3, 8, 15, 16, 17, 33, 65] {
      for sliced in [false, true] {
        cases.append(squaredReLUForward(rows: 3, columns: columns, sliced: sliced))
        cases.append(squaredReLUBackward(rows: 3, columns: columns, sliced: sliced))
      }
      cases.append(squaredReLUForward(rows: 5, columns: columns, isAwkward: true))
    }
    return cases
  }

  static func squaredReLUForward(
    rows: Int, columns: Int, sliced: Bool = false, isAwkward: Bool = false
  ) -> OperationCase {
    let count = rows * columns
    return OperationCase(
      "SquaredReLU.Forward",
      "\(rows) x \(columns)\(sliced ? ", sliced" : "")\(isAwkward ? ", awkward" : "")",
      [
        .update(
          "values", rows, columns,
          isAwkward ? .awkward(count, seed: 1) : .normal(count, seed: 1), sliced: sliced)
      ],
      tolerance: Tolerance(roundings: 1, magnitude: 0.1, reason: "one product"),
      make: { SquaredReLU.Forward(values: $0["values"]) }, run: { try $0.run($1) },
      reference: { numbers in
        let h = numbers["values"]
        numbers["values"].fill { max(h[$0, $1], 0) * max(h[$0, $1], 0) }
      })
  }

  static func squaredReLUBackward(
    rows: Int, columns: Int, sliced: Bool = false
  ) -> OperationCase {
    let count = rows * columns
    return OperationCase(
      "SquaredReLU.Backward", "\(rows) x \(columns)\(sliced ? ", sliced" : "")",
      [
        .hidden("hidden", rows, columns, .normal(count, seed: 1)),
        .input("activation", rows, columns, .activations(count, seed: 1), sliced: sliced),
        .update("gradient", rows, columns, .normal(count, seed: 2), sliced: sliced),
      ],
      tolerance: Tolerance(roundings: 4, magnitude: 4, reason: "a root and two products"),
      derivative: Derivative(
        [.init(variable: "hidden", gradient: "gradient", accumulates: false)],
        // relu² has a derivative at 0, its second derivative jumps there.
        distanceToKink: { abs($0[$1][$2]) }
      ) { numbers in
        zip(numbers["hidden"].values, numbers["gradient"].values).reduce(0) {
          $0 + max($1.0, 0) * max($1.0, 0) * $1.1
        }
      },
      make: { SquaredReLU.Backward(activation: $0["activation"], gradient: $0["gradient"]) },
      run: { try $0.run($1) },
      reference: { numbers in
        let a = numbers["activation"]
        let g = numbers["gradient"]
        numbers["gradient"].fill { g[$0, $1] * 2 * a[$0, $1].squareRoot() }
      })
  }
}
