public import Compute

extension CUDABackend {
  /// Scores by a product, the nearest of each row, sums of parts of the rows, then the parts in order.
  public func run(_ operation: MoveCentroids) throws(ComputeError) {
    operation.checkShapes()
    let (input, centroids, moved) = (operation.input, operation.centroids, operation.moved)
    precondition(
      input.elementType == moved.elementType && centroids.elementType == moved.elementType,
      "MoveCentroids: one element type")
    try run(operation.product)
    let (tokens, clusters, columns) = (input.rows, moved.rows, moved.columns)
    let slices = (columns + 255) / 256
    // Enough blocks to fill a GPU, not tens of thousands of them. Follows from the shapes alone, as the
    // order of sums then does.
    let parts = max(1, min(16, (tokens + 2047) / 2048, 16_384 / (clusters * slices)))
    let nearestBytes = DeviceMemory.partBytes(tokens * 4)
    let memberBytes = DeviceMemory.partBytes(parts * clusters * 4)
    let nearest = try memory.scratch(
      bytes: nearestBytes + memberBytes + parts * clusters * columns * 4)
    let members = nearest + UInt64(nearestBytes)
    let sums = members + UInt64(memberBytes)

    var finding = KernelArguments()
    finding.addWithStride(operation.scores)
    finding.add(tokens)
    finding.add(clusters)
    finding.add(nearest)
    try launch(
      "MoveCentroids.cu", "find_nearest", input.elementType, grid: .items(8 * tokens), finding)

    var adding = KernelArguments()
    adding.add(nearest)
    adding.addWithStride(input)
    adding.add(tokens)
    adding.add(columns)
    adding.add(sums)
    adding.add(members)
    try launch(
      "MoveCentroids.cu", "sum_members", input.elementType,
      grid: Grid(x: slices, y: clusters, z: parts), adding)

    var moving = KernelArguments()
    moving.add(sums)
    moving.add(members)
    moving.add(parts)
    moving.addWithStride(input)
    moving.add(tokens)
    moving.addWithStride(centroids)
    moving.add(columns)
    moving.add(operation.fewestRows)
    moving.addWithStride(moved)
    try launch(
      "MoveCentroids.cu", "move", input.elementType, grid: Grid(x: clusters), moving)
  }
}
