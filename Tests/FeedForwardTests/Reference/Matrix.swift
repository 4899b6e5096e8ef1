/// A matrix of doubles with plain loops: what the reference computes with.
struct Matrix: Equatable {
  let rows: Int
  let columns: Int
  var values: [Double]

  init(_ rows: Int, _ columns: Int, _ values: [Double]? = nil) {
    self.rows = rows
    self.columns = columns
    self.values = values ?? Array(repeating: 0, count: rows * columns)
    precondition(self.values.count == rows * columns)
  }

  init(_ rows: Int, _ columns: Int, floats: [Float]) {
    self.init(rows, columns, floats.map(Double.init))
  }

  subscript(_ row: Int, _ column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  var transposed: Matrix {
    var result = Matrix(columns, rows)
    for row in 0..<rows {
      for column in 0..<columns { result[column, row] = self[row, column] }
    }
    return result
  }

  static func * (left: Matrix, right: Matrix) -> Matrix {
    precondition(left.columns == right.rows)
    var result = Matrix(left.rows, right.columns)
    for row in 0..<left.rows {
      for inner in 0..<left.columns {
        let factor = left[row, inner]
        for column in 0..<right.columns {
          result[row, column] += factor * right[inner, column]
        }
      }
    }
    return result
  }

  /// Element by element.
  func combined(_ other: Matrix, _ combine: (Double, Double) -> Double) -> Matrix {
    precondition(rows == other.rows && columns == other.columns)
    return Matrix(rows, columns, zip(values, other.values).map(combine))
  }

  func map(_ transform: (Double) -> Double) -> Matrix {
    Matrix(rows, columns, values.map(transform))
  }

  /// The largest difference to some floats, over the largest magnitude here.
  func error(of floats: [Float]) -> Double {
    guard floats.count == values.count else { return .infinity }
    let largest = values.reduce(0) { max($0, abs($1)) }
    var worst: Double = 0
    for (value, float) in zip(values, floats) {
      let difference = abs(value - Double(float))
      if !difference.isFinite { return .infinity }
      worst = max(worst, difference)
    }
    return worst == 0 ? 0 : worst / largest
  }
}
