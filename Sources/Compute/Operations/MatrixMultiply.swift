/// `output = epilogue(alpha · op(left) · op(right)) + addend`, where `op` may transpose.
///
/// Shapes: op(left) [m, k], op(right) [k, n], output and addend [m, n].
public struct MatrixMultiply: Operation {
  /// What is done to every product before it is stored.
  public enum Epilogue: Sendable, Equatable {
    /// Nothing.
    case none
    /// `relu(h)²`; a zero result is +0.
    case squaredReLU
    /// Times `2·sqrt(A)`: the derivative of the squared ReLU, from the stored activation [m, n].
    case timesTwoSqrt(TensorView)
  }

  /// Left factor, [m, k], or [k, m] when transposed.
  public var left: TensorView
  /// Whether the left factor is stored as its transpose.
  public var transposeLeft: Bool
  /// Right factor, [k, n], or [n, k] when transposed.
  public var right: TensorView
  /// Whether the right factor is stored as its transpose.
  public var transposeRight: Bool
  /// Promises that at most two of every four consecutive elements of the right factor's stored rows
  /// are not zero; a backend may use it where those rows run along the contraction.
  public var isRightTwoOfFour: Bool
  /// Result, [m, n]; it may be the addend itself, never a factor.
  public var output: TensorView
  /// Added after the epilogue; nil overwrites. The output itself accumulates in place.
  public var addend: TensorView?
  /// Factor on the product.
  public var alpha: Float
  /// What is done before storing.
  public var epilogue: Epilogue

  /// Describes a product; see the properties.
  public init(
    _ left: TensorView, transposeLeft: Bool = false, _ right: TensorView,
    transposeRight: Bool = false, isRightTwoOfFour: Bool = false, into output: TensorView,
    adding addend: TensorView? = nil, alpha: Float = 1, epilogue: Epilogue = .none
  ) {
    self.left = left
    self.transposeLeft = transposeLeft
    self.right = right
    self.transposeRight = transposeRight
    self.isRightTwoOfFour = isRightTwoOfFour
    self.output = output
    self.addend = addend
    self.alpha = alpha
    self.epilogue = epilogue
  }

  /// The contraction length.
  public var depth: Int { transposeLeft ? left.rows : left.columns }

  public func checkShapes() {
    require(transposeLeft ? left.columns : left.rows, output.rows, "rows")
    require(transposeRight ? right.rows : right.columns, output.columns, "columns")
    require(transposeRight ? right.columns : right.rows, depth, "contraction")
    if let addend {
      require(addend.rows, output.rows, "addend rows")
      require(addend.columns, output.columns, "addend columns")
    }
    if case .timesTwoSqrt(let activation) = epilogue {
      require(activation.rows, output.rows, "activation rows")
      require(activation.columns, output.columns, "activation columns")
    }
  }

  public var flops: Double { 2 * Double(output.count) * Double(depth) }
  public var bytes: Double {
    var total = size(left, right, output)
    if let addend { total += size(addend) }
    if case .timesTwoSqrt(let activation) = epilogue { total += size(activation) }
    return total
  }
}
