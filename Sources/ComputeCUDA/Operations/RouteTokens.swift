public import Compute

extension CUDABackend {
  /// Keys by eight threads per token, then a stable sort.
  public func run(_ operation: RouteTokens) throws(ComputeError) {
    operation.checkShapes()
    precondition(operation.scores.elementType == .float32, "scores are float32")
    let tokens = operation.scores.rows
    let clusters = operation.scores.columns
    guard tokens > 0 else { return }
    let keyBytes = (tokens * 4 + 255) / 256 * 256
    let base = try memory.scratch(bytes: keyBytes + sortScratchBytes(count: tokens))
    var arguments = KernelArguments()
    arguments.addWithStride(operation.scores)
    arguments.add(tokens)
    arguments.add(clusters)
    arguments.add(base)
    try launch("RouteTokens.cu", "route", .float32, grid: .items(8 * tokens), arguments)
    if try countingSort(
      base, count: tokens, limit: clusters * clusters, output: operation.order)
    {
      return
    }
    _ = try sort(
      base, count: tokens, limit: clusters * clusters, scratch: base + UInt64(keyBytes),
      output: operation.order)
  }
}
