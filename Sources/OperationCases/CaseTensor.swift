public import Compute

/// How a tensor lies in a wider matrix.
enum CaseSlicing: Sendable, Equatable {
  /// It is the whole matrix.
  case none
  /// At an odd offset: nothing that wants aligned rows can take it.
  case odd
  /// At offsets that are multiples of eight elements, as copy engines and tensor cores want them.
  case aligned

  /// Elements of every row before and after the tensor's own.
  var margins: (lead: Int, trail: Int) {
    switch self {
    case .none: (0, 0)
    case .odd: (1, 2)
    case .aligned: (8, 16)
    }
  }
}

/// One named argument of a case: its shape, its numbers, how it lies in memory.
public struct CaseTensor: Sendable {
  /// What the operation does with it.
  public enum Role: Sendable, Equatable {
    /// Only read: it must be unchanged afterwards, bit for bit.
    case input
    /// Overwritten: it is filled with NaN (or nonsense) first, so that a gap shows.
    case output
    /// Read and written: accumulated into, or changed in place.
    case update
    /// Room that a backend may write to; nobody looks at it afterwards.
    case work
    /// Not an argument: a variable that the derivative is taken by, known to the reference alone.
    case hidden
  }

  /// The name that runs, references and reports use.
  public let name: String
  /// Rows.
  public let rows: Int
  /// Columns.
  public let columns: Int
  /// What the operation does with it.
  public let role: Role
  /// The numbers before the run; nil for outputs.
  public let values: CaseValues?
  /// The type of an output; inputs have the type of their values.
  let outputType: ElementType
  /// The type of float numbers that every backend stores alike: float32 for losses, statistics and
  /// moments; nil where it is the backend's choice.
  let fixedType: ElementType?
  /// Elements before the first column of every row that belong to somebody else.
  public let lead: Int
  /// Elements after the last column of every row that belong to somebody else.
  public let trail: Int

  private init(
    _ name: String, _ rows: Int, _ columns: Int, role: Role, values: CaseValues?,
    outputType: ElementType = .float32, fixedType: ElementType? = nil,
    slicing: CaseSlicing = .none
  ) {
    self.name = name
    self.rows = rows
    self.columns = columns
    self.role = role
    self.values = values
    self.outputType = outputType
    self.fixedType = fixedType
    (lead, trail) = slicing.margins
  }

  /// An argument that is only read. `sliced` cuts it out of a wider matrix, at an odd offset;
  /// `slicing` says how instead.
  static func input(
    _ name: String, _ rows: Int, _ columns: Int, _ values: CaseValues, sliced: Bool = false,
    slicing: CaseSlicing? = nil, alwaysFloat32: Bool = false, fixedType: ElementType? = nil
  ) -> CaseTensor {
    CaseTensor(
      name, rows, columns, role: .input, values: values,
      fixedType: alwaysFloat32 ? .float32 : fixedType,
      slicing: slicing ?? (sliced ? .odd : .none))
  }

  /// An argument that is overwritten.
  static func output(
    _ name: String, _ rows: Int, _ columns: Int, _ type: ElementType = .float32,
    sliced: Bool = false, slicing: CaseSlicing? = nil, alwaysFloat32: Bool = false
  ) -> CaseTensor {
    CaseTensor(
      name, rows, columns, role: .output, values: nil, outputType: type,
      fixedType: alwaysFloat32 ? .float32 : nil, slicing: slicing ?? (sliced ? .odd : .none))
  }

  /// Room that is nobody's afterwards.
  static func work(_ name: String, _ rows: Int, _ columns: Int) -> CaseTensor {
    CaseTensor(name, rows, columns, role: .work, values: nil, fixedType: .float32)
  }

  /// An argument that is read and written.
  static func update(
    _ name: String, _ rows: Int, _ columns: Int, _ values: CaseValues, sliced: Bool = false,
    slicing: CaseSlicing? = nil, alwaysFloat32: Bool = false
  ) -> CaseTensor {
    CaseTensor(
      name, rows, columns, role: .update, values: values, fixedType: alwaysFloat32 ? .float32 : nil,
      slicing: slicing ?? (sliced ? .odd : .none))
  }

  /// A variable of the derivative that the operation itself does not see.
  static func hidden(
    _ name: String, _ rows: Int, _ columns: Int, _ values: CaseValues
  ) -> CaseTensor {
    CaseTensor(name, rows, columns, role: .hidden, values: values)
  }

  /// Elements from row to row.
  public var stride: Int { lead + columns + trail }

  /// Whether the numbers are floating-point.
  public var isFloat: Bool {
    switch values {
    case .floats, .derived: true
    case .int32, .uint16: false
    case nil: outputType == .float32 || outputType == .bfloat16
    }
  }

  /// The type that stores it when the backend stores floats as `storage`.
  public func elementType(storage: ElementType) -> ElementType {
    switch values {
    case .floats, .derived: fixedType ?? storage
    case .int32: .int32
    case .uint16: .uint16
    case nil: outputType == .float32 ? fixedType ?? storage : outputType
    }
  }
}
