import Compute

/// The epilogues by name, before there are views.
enum EpilogueKind: String, Sendable, CaseIterable, CustomStringConvertible {
  case none, squaredReLU, timesTwoSqrt

  var description: String { self == .none ? "plain" : rawValue }

  func epilogue(_ views: CaseViews) -> MatrixMultiply.Epilogue {
    switch self {
    case .none: .none
    case .squaredReLU: .squaredReLU
    case .timesTwoSqrt: .timesTwoSqrt(views["activation"])
    }
  }

  func apply(_ product: Double, _ activation: Double) -> Double {
    switch self {
    case .none: product
    case .squaredReLU: max(product, 0) * max(product, 0)
    case .timesTwoSqrt: product * 2 * activation.squareRoot()
    }
  }

  /// A sum of `depth` products, and what the epilogue makes of its error.
  ///
  /// `storedBetween`: the product may be rounded to the storage type before the epilogue, and
  /// before numbers of the size `addend` are added, which some of cuBLASLt's algorithms do too.
  func tolerance(depth: Int, storedBetween: Bool = false, addend: Double = 0) -> Tolerance {
    let size = 4 * Double(depth).squareRoot()
    let magnitude: Double =
      switch self {
      case .none: 1
      case .squaredReLU: 2 * size
      case .timesTwoSqrt: 8
      }
    // A rounded product that is squared is off by twice as much.
    let roundings: Double =
      switch self {
      case .none: addend > 0 ? 1 : 0
      case .squaredReLU: 2
      case .timesTwoSqrt: 1
      }
    return .sum(
      of: depth, magnitude: magnitude, storageRoundings: storedBetween ? roundings : 0,
      storageMagnitude: addend)
  }
}

/// What a case of a dense product tries besides its size.
struct ProductOptions: Sendable {
  enum Addend: Sendable { case none, separate, output }

  var transposeLeft = false
  var transposeRight = false
  var epilogue = EpilogueKind.none
  var addend = Addend.none
  var alpha: Float = 1
  var slicing = CaseSlicing.none
  /// Whether the output stays float32 on every backend: gradients of weights, scores.
  var isWide = false
  var isRightTwoOfFour = false

  /// All combinations that the operation allows, transposes left alone.
  static let all: [ProductOptions] = EpilogueKind.allCases.flatMap { epilogue in
    ([.none, .separate, .output] as [Addend]).flatMap { addend -> [ProductOptions] in
      guard epilogue == .none || addend != .output else { return [] }
      return [1, -0.5].flatMap { alpha in
        [.none, .odd].map {
          ProductOptions(epilogue: epilogue, addend: addend, alpha: alpha, slicing: $0)
        }
      }
    }
  }
}

extension CaseList {
  /// Every m, n, k up to 9 with every transpose, and sizes around register tiles, vector widths
  /// and blocks; options go round, so that each meets every kind of size.
  static var matrixMultiply: [OperationCase] {
    var cases: [OperationCase] = []
    var turn = 0
    func add(_ m: Int, _ n: Int, _ k: Int, times: Int) {
      for transposes in 0..<4 {
        for _ in 0..<times {
          var options = ProductOptions.all[turn % ProductOptions.all.count]
          options.transposeLeft = transposes & 1 != 0
          options.transposeRight = transposes & 2 != 0
          cases.append(product(m, n, k, options))
          turn += 5
        }
        turn += 1
      }
    }
    for m in 1...9 { for n in 1...9 { for k in 1...9 { add(m, n, k, times: 1) } } }
    for m in [5, 6, 7, 13, 14, 15, 17, 29] {
      for n in [15, 16, 17, 31, 32, 33, 65] {
        for k in [1, 7, 8, 17] { add(m, n, k, times: 1) }
      }
    }
    for k in [255, 256, 257, 513] { add(15, 33, k, times: 3) }
    for (m, n, k) in [(167, 5, 3), (169, 34, 9), (3, 2049, 2), (258, 515, 5)] {
      add(m, n, k, times: 2)
    }
    return cases
  }

  /// Every transpose and epilogue at sizes of whole tiles and with short last ones; gradients of
  /// weights, which stay float32; 2:4 weights; more tiles than a GPU has multiprocessors.
  static var productTiles: [OperationCase] {
    let sizes = [(128, 128, 64), (256, 320, 192), (300, 264, 128), (136, 512, 520)]
    let narrow = [(1100, 48, 160), (1024, 64, 96), (1030, 8, 32), (1090, 24, 608)]
    var turn = 0
    return narrow.map { m, n, k in
      product(m, n, k, ProductOptions(transposeRight: true, isWide: true))
    }
      + sizes.flatMap { m, n, k in
        EpilogueKind.allCases.flatMap { epilogue in
          (0..<4).map { transposes in
            turn += 1
            return product(
              m, n, k,
              ProductOptions(
                transposeLeft: transposes & 1 != 0, transposeRight: transposes & 2 != 0,
                epilogue: epilogue,
                addend: epilogue == .none && turn % 3 == 0 ? .output : .none,
                slicing: turn % 2 == 0 ? .aligned : .none))
          }
        } + [
          product(
            m, n, k, ProductOptions(transposeLeft: true, addend: .output, isWide: true))
        ]
      }
      + fusedProducts
  }

  /// 2:4 weights, and more tiles than a GPU has multiprocessors.
  private static var fusedProducts: [OperationCase] {
    let fours = ProductOptions(
      transposeRight: true, epilogue: .squaredReLU, isRightTwoOfFour: true)
    let sizes = [
      (16, 8, 8), (33, 130, 20), (129, 136, 64), (2049, 136, 72), (2100, 40, 200), (2100, 2312, 8),
    ]
    let many = [EpilogueKind.squaredReLU, .timesTwoSqrt].map {
      product(2100, 2312, 8, ProductOptions(transposeRight: true, epilogue: $0))
    }
    return sizes.map { m, n, k in product(m, n, k, fours) } + many
  }

  static func product(_ m: Int, _ n: Int, _ k: Int, _ options: ProductOptions) -> OperationCase {
    let o = options
    let (a, b) = (o.transposeLeft, o.transposeRight)
    /// alpha · op(left) · op(right).
    @Sendable func scaled(_ numbers: CaseNumbers) -> CaseMatrix {
      let left = numbers["left"]
      let right = numbers["right"]
      var result = CaseMatrix(rows: m, columns: n)
      result.fill { row, column in
        var sum = 0.0
        for p in 0..<k {
          sum += (a ? left[p, row] : left[row, p]) * (b ? right[column, p] : right[p, column])
        }
        return Double(o.alpha) * sum
      }
      return result
    }
    var tensors: [CaseTensor] = [
      .input("left", a ? k : m, a ? m : k, .normal(m * k, seed: 1), slicing: o.slicing),
      .input(
        "right", b ? n : k, b ? k : n,
        o.isRightTwoOfFour ? .twoOfFour(k * n, seed: 2) : .normal(k * n, seed: 2),
        slicing: o.slicing),
      o.addend == .output
        ? .update(
          "output", m, n, .normal(m * n, seed: 4), slicing: o.slicing, alwaysFloat32: o.isWide)
        : .output("output", m, n, slicing: o.slicing, alwaysFloat32: o.isWide),
    ]
    if o.epilogue == .timesTwoSqrt {
      tensors += [
        .hidden("hidden", m, n, .normal(m * n, seed: 3)),
        .input("activation", m, n, .activations(m * n, seed: 3), slicing: o.slicing),
      ]
    }
    if o.addend == .separate {
      tensors.append(.input("addend", m, n, .normal(m * n, seed: 5), slicing: o.slicing))
    }
    return OperationCase(
      "MatrixMultiply",
      "\(m) x \(n) x \(k)\(a || b ? ", \(a ? "T" : "N")\(b ? "T" : "N")" : ""), \(o.epilogue)"
        + "\(o.addend == .none ? "" : ", adding \(o.addend)")"
        + "\(o.alpha == 1 ? "" : ", alpha \(o.alpha)")\(o.slicing == .none ? "" : ", sliced \(o.slicing)")"
        + "\(o.isRightTwoOfFour ? ", 2:4" : "")",
      tensors,
      tolerance: o.epilogue.tolerance(
        depth: k + 1, storedBetween: true, addend: o.addend == .none ? 0 : 4),
      // The backward epilogue is the gradient by the pre-activation.
      derivative: o.epilogue == .timesTwoSqrt && o.addend == .none && m * n <= 200
        ? Derivative(
          [.init(variable: "hidden", gradient: "output", accumulates: false)],
          distanceToKink: { abs($0[$1][$2]) }
        ) {
          zip(scaled($0).values, $0["hidden"].values).reduce(0) {
            $0 + $1.0 * max($1.1, 0) * max($1.1, 0)
          }
        } : nil,
      make: { views in
        let addend: TensorView? =
          switch o.addend {
          case .none: nil
          case .separate: views["addend"]
          case .output: views["output"]
          }
        return MatrixMultiply(
          views["left"], transposeLeft: a, views["right"], transposeRight: b,
          isRightTwoOfFour: o.isRightTwoOfFour, into: views["output"], adding: addend,
          alpha: o.alpha,
          epilogue: o.epilogue.epilogue(views))
      }, run: { try $0.run($1) },
      reference: { numbers in
        let product = scaled(numbers)
        let activation = o.epilogue == .timesTwoSqrt ? numbers["activation"] : product
        let before: CaseMatrix? =
          switch o.addend {
          case .none: nil
          case .separate: numbers["addend"]
          case .output: numbers["output"]
          }
        numbers["output"].fill { row, column in
          o.epilogue.apply(product[row, column], activation[row, column])
            + (before.map { $0[row, column] } ?? 0)
        }
      })
  }
}
