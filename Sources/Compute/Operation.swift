/// One piece of work with its arguments: what it needs is checked and counted before it runs.
public protocol Operation: Sendable {
  /// Traps when shapes or element types do not fit together, naming both sides.
  func checkShapes()
  /// Floating-point operations of this call; a multiply-add counts two.
  var flops: Double { get }
  /// Bytes that must move at least once between memory and the processor.
  var bytes: Double { get }
}

extension Operation {
  /// Traps unless both numbers are equal.
  func require(
    _ first: Int, _ second: Int, _ what: @autoclosure () -> String
  ) {
    // Not a precondition: an optimised build would trap without the sentence.
    guard first == second else {
      fatalError("\(Self.self): \(what()): \(first) is not \(second)")
    }
  }

  /// Traps unless the view has this element type.
  func require(_ view: TensorView, _ type: ElementType, _ what: @autoclosure () -> String) {
    guard view.elementType == type else {
      fatalError("\(Self.self): \(what()) is \(view.elementType.rawValue), not \(type.rawValue)")
    }
  }

  /// Bytes of the elements of some views, gaps between rows not counted.
  func size(_ views: TensorView...) -> Double {
    views.reduce(0) { $0 + Double($1.count * $1.elementType.byteCount) }
  }
}
