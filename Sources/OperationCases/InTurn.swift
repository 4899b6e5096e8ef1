import Compute

/// Two operations, the second of which reads what the first leaves: how they run in a step.
struct InTurn<First: Operation, Second: Operation>: Operation {
  var first: First
  var second: Second

  func checkShapes() {
    first.checkShapes()
    second.checkShapes()
  }
  var flops: Double { first.flops + second.flops }
  var bytes: Double { first.bytes + second.bytes }
}
