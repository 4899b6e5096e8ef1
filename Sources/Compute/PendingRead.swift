/// A copy to the host that was asked for and may still be under way.
public protocol PendingRead: AnyObject {
  /// The numbers, once they are there; ask once.
  func floats() throws(ComputeError) -> [Float]
}

/// A copy that is complete: what backends that run immediately have.
public final class FinishedRead: PendingRead {
  private let values: [Float]

  /// Holds the numbers.
  public init(_ values: [Float]) { self.values = values }

  public func floats() throws(ComputeError) -> [Float] { values }
}

extension Backend {
  /// Reads at once.
  public func startReading(_ view: TensorView) throws(ComputeError) -> any PendingRead {
    FinishedRead(try read(view))
  }
}
