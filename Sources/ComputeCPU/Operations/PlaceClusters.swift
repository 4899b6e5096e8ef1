public import Compute

extension CPUBackend {
  /// As `RouteTokens` does it for itself.
  public func run(_ operation: PlaceClusters) throws(ComputeError) {
    operation.checkShapes()
    let clusters = operation.centroids.rows
    try run(operation.product)
    let (nearest, second) = twoNearest(operation.scores)
    for (cluster, place) in placesInRow(nearest, second, clusters: clusters).enumerated() {
      operation.places.int32[cluster] = place
    }
  }
}
