/// A typed window of rows and columns into memory of a backend; it owns nothing.
///
/// The address is a plain integer, so that device memory cannot be dereferenced on the host by
/// mistake. A vector is one row. Rows lie `stride` elements apart, columns are contiguous.
public struct TensorView: Sendable, BitwiseCopyable, Equatable {
  /// Where the first element is, in the address space of the backend that allocated it.
  public let address: UInt64
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// Elements from the start of one row to the start of the next.
  public let stride: Int
  /// The type of every element.
  public let elementType: ElementType

  /// A window at an address. `stride` defaults to `columns`.
  public init(
    address: UInt64, rows: Int, columns: Int, stride: Int? = nil,
    elementType: ElementType = .float32
  ) {
    precondition(rows >= 0 && columns >= 0, "a view of \(rows) x \(columns)")
    precondition((stride ?? columns) >= columns, "stride \(stride ?? columns) below \(columns)")
    self.address = address
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
    self.elementType = elementType
  }

  /// The number of elements.
  public var count: Int { rows * columns }

  /// Whether there is no gap between rows.
  public var isContiguous: Bool { stride == columns || rows <= 1 }

  /// Bytes from the first element to the end of the last, gaps included.
  public var byteCount: Int {
    rows == 0 ? 0 : ((rows - 1) * stride + columns) * elementType.byteCount
  }

  /// The rows in a range, without copying.
  public func rows(_ range: Range<Int>) -> TensorView {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return TensorView(
      address: address + UInt64(range.lowerBound * stride * elementType.byteCount),
      rows: range.count, columns: columns, stride: stride, elementType: elementType)
  }

  /// The columns in a range, without copying.
  public func columns(_ range: Range<Int>) -> TensorView {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return TensorView(
      address: address + UInt64(range.lowerBound * elementType.byteCount),
      rows: rows, columns: range.count, stride: stride, elementType: elementType)
  }

  /// The same elements as another number of rows and columns; needs a contiguous view.
  public func reshaped(rows newRows: Int, columns newColumns: Int) -> TensorView {
    precondition(isContiguous, "only a contiguous view can be reshaped")
    precondition(
      newRows * newColumns == count, "\(rows) x \(columns) as \(newRows) x \(newColumns)")
    return TensorView(
      address: address, rows: newRows, columns: newColumns, elementType: elementType)
  }
}

extension TensorView: CustomStringConvertible {
  /// For example `float32[128 x 768]`.
  public var description: String {
    "\(elementType.rawValue)[\(rows) x \(columns)\(isContiguous ? "" : ", stride \(stride)")]"
  }
}
