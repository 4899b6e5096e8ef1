public import Compute

extension CUDABackend {
  /// Small groups by counting who is ahead, larger ones bit by bit in registers, the largest by radix
  /// selection.
  public func run(_ operation: SelectColumns) throws(ComputeError) {
    operation.checkShapes()
    precondition(operation.sums.elementType == .float32, "block sums are float32")
    guard operation.keepPerGroup > 0 else { return }
    let sums = operation.sums
    let groups = sums.columns / operation.groupWidth
    let isSmall = operation.groupWidth <= 64
    let (name, threads) =
      switch operation.groupWidth {
      case ...64: ("select_few", 256)
      case ...1024: ("select_1024", 256)
      case ...3072: ("select_3072", 256)
      case ...4096: ("select_4096", 256)
      case ...8192: ("select_8192", 512)
      case ...16384: ("select_16384", 1024)
      default: ("select_many", 256)
      }
    var arguments = KernelArguments()
    arguments.addWithStride(sums)
    arguments.add(sums.rows)
    arguments.add(groups)
    arguments.add(operation.groupWidth)
    arguments.add(operation.keepPerGroup)
    arguments.add(operation.neighbourWeight)
    arguments.addWithStride(optional: operation.remembered?.sums)
    arguments.addWithStride(optional: operation.remembered?.marks)
    arguments.addWithStride(operation.columns)
    try launch(
      "SelectColumns.cu", name, .float32,
      grid: isSmall ? .items(sums.rows * groups) : Grid(x: sums.rows * groups), threads: threads,
      arguments)
  }
}
