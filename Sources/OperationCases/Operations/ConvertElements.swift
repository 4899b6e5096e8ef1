import Compute

extension CaseList {
  static var convertElements: [OperationCase] {
    [(1, 1), (3, 8), (9, 50), (5, 129)].flatMap { rows, columns in
      [false, true].flatMap { sliced in
        [
          narrow(rows: rows, columns: columns, sliced: sliced),
          widen(rows: rows, columns: columns, sliced: sliced),
        ]
      }
    }
  }

  /// Halfway between two bfloat16 numbers, just beside it, and what has no neighbour above.
  private static func roundable(_ count: Int) -> CaseValues {
    .floats { _ in
      let palette: [UInt32] = [
        0x3F80_8000, 0x3F81_8000, 0x3F80_8001, 0x3F80_7FFF, 0xBF80_8000, 0x0000_0000, 0x8000_0000,
        0x7F7F_FFFF, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x0000_8000, 0x0001_8000,
      ]
      var random = CaseRandom(1)
      return (0..<count).map {
        $0 % 3 == 0
          ? Float(random.normal()) : Float(bitPattern: palette[random.below(palette.count)])
      }
    }
  }

  /// float32 to bfloat16: to nearest, ties to even.
  private static func narrow(rows: Int, columns: Int, sliced: Bool) -> OperationCase {
    convert(
      "\(rows) x \(columns), to bfloat16\(sliced ? ", sliced" : "")",
      .input(
        "source", rows, columns, roundable(rows * columns), sliced: sliced, alwaysFloat32: true),
      .output("output", rows, columns, .bfloat16, sliced: sliced)
    ) {
      // By integers alone: half of a unit is added, less if the unit's last bit is even.
      guard !$0.isNaN else { return .nan }
      let bits = UInt64(Float($0).bitPattern)
      let rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000
      return Double(Float(bitPattern: UInt32(rounded)))
    }
  }

  /// bfloat16 to float32: the same number.
  private static func widen(rows: Int, columns: Int, sliced: Bool) -> OperationCase {
    convert(
      "\(rows) x \(columns), to float32\(sliced ? ", sliced" : "")",
      .input(
        "source", rows, columns, .awkward(rows * columns, seed: 1), sliced: sliced,
        fixedType: .bfloat16),
      .output("output", rows, columns, sliced: sliced, alwaysFloat32: true)
    ) { $0 }
  }

  private static func convert(
    _ detail: String, _ source: CaseTensor, _ output: CaseTensor,
    _ value: @escaping @Sendable (Double) -> Double
  ) -> OperationCase {
    OperationCase(
      "ConvertElements", detail, [source, output], tolerance: .exact,
      make: { ConvertElements(source: $0["source"], output: $0["output"]) },
      run: { try $0.run($1) },
      reference: { $0["output"].values = $0["source"].values.map(value) })
  }
}
