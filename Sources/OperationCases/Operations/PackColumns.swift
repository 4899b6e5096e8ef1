import Compute

extension CaseList {
  static var packColumns: [OperationCase] {
    PatternShape.small.flatMap { [packColumns($0), unpackColumns($0)] }
  }

  static func packColumns(_ shape: PatternShape) -> OperationCase {
    OperationCase(
      "PackColumns", "\(shape)",
      shape.tensors + [
        .input(
          "values", shape.tokens, shape.neurons, .awkward(shape.tokens * shape.neurons, seed: 1),
          slicing: shape.slicing),
        .output("packed", shape.tokens, shape.kept, slicing: shape.slicing),
      ], tolerance: .exact,
      make: {
        PackColumns(values: $0["values"], pattern: shape.pattern($0), packed: $0["packed"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let values = numbers["values"]
        var packed = numbers["packed"]
        shape.forEachKept(numbers) { packed[$0, $2] = values[$1, $3] }
        numbers["packed"] = packed
      })
  }

  static func unpackColumns(_ shape: PatternShape) -> OperationCase {
    OperationCase(
      "UnpackColumns", "\(shape)",
      shape.tensors + [
        .input(
          "packed", shape.tokens, shape.kept, .awkward(shape.tokens * shape.kept, seed: 1),
          slicing: shape.slicing),
        .output("values", shape.tokens, shape.neurons, slicing: shape.slicing),
      ], tolerance: .exact,
      make: {
        UnpackColumns(packed: $0["packed"], pattern: shape.pattern($0), values: $0["values"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let packed = numbers["packed"]
        var values = numbers["values"]
        shape.forEachKept(numbers) { values[$1, $3] = packed[$0, $2] }
        numbers["values"] = values
      })
  }
}
