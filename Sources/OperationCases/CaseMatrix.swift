public import Compute

/// Numbers of one tensor in double precision, for references; integers are exact.
public struct CaseMatrix: Sendable, Equatable {
  /// Rows.
  public let rows: Int
  /// Columns.
  public let columns: Int
  /// Row by row.
  public var values: [Double]

  /// A matrix of zeros.
  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    values = Array(repeating: 0, count: rows * columns)
  }

  /// One element.
  public subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// One element of a vector, by its place.
  public subscript(index: Int) -> Double {
    get { values[index] }
    set { values[index] = newValue }
  }

  /// The element as an integer.
  func int(_ row: Int, _ column: Int) -> Int { Int(values[row * columns + column]) }

  /// Calls `value(row, column)` for every element.
  mutating func fill(_ value: (_ row: Int, _ column: Int) -> Double) {
    for row in 0..<rows {
      for column in 0..<columns { self[row, column] = value(row, column) }
    }
  }
}

/// The tensors of a case by name, in double precision.
public struct CaseNumbers: Sendable {
  var matrices: [String: CaseMatrix] = [:]

  /// A tensor of the case; traps on a name that the case does not have.
  public subscript(name: String) -> CaseMatrix {
    get {
      guard let matrix = matrices[name] else { preconditionFailure("no tensor '\(name)'") }
      return matrix
    }
    set { matrices[name] = newValue }
  }
}

/// The tensors of a case by name, on a backend.
public struct CaseViews: Sendable {
  var views: [String: TensorView] = [:]

  /// None yet.
  public init() {}

  /// A tensor of the case; traps on a name that the case does not have.
  public subscript(name: String) -> TensorView {
    get {
      guard let view = views[name] else { preconditionFailure("no tensor '\(name)'") }
      return view
    }
    set { views[name] = newValue }
  }
}

extension CaseNumbers {
  /// Adds to one element in place.
  mutating func add(_ value: Double, to name: String, _ row: Int, _ column: Int) {
    guard let columns = matrices[name]?.columns else { preconditionFailure("no '\(name)'") }
    matrices[name]?.values[row * columns + column] += value
  }
}
