public import Compute

/// How far a result may lie from the double-precision reference, and why.
public struct Tolerance: Sendable {
  /// How many float32 roundings of a number of size `magnitude` may add up; 0 demands equality.
  public let roundings: Double
  /// The size of the terms that are rounded; where terms cancel it exceeds the result's own size.
  public let magnitude: Double
  /// Roundings of intermediates to the storage type, where that is narrower than float32.
  public let storageRoundings: Double
  /// The size of those intermediates' share in a result that is small itself.
  public let storageMagnitude: Double
  /// The same for intermediates of results that are float32 whatever the storage is.
  public let wideStorageRoundings: Double
  /// Why.
  public let reason: String

  /// See the properties.
  public init(
    roundings: Double, magnitude: Double = 1, storageRoundings: Double = 0,
    storageMagnitude: Double? = nil, wideStorageRoundings: Double = 0, reason: String
  ) {
    self.roundings = roundings
    self.magnitude = magnitude
    self.storageRoundings = storageRoundings
    self.storageMagnitude = storageMagnitude ?? magnitude
    self.wideStorageRoundings = wideStorageRoundings
    self.reason = reason
  }

  /// Nothing is computed, or only integers: the same numbers.
  public static let exact = Tolerance(roundings: 0, magnitude: 0, reason: "nothing is rounded")

  /// A sum of `terms` products of numbers around 1.
  static func sum(
    of terms: Int, magnitude: Double = 1, storageRoundings: Double = 0,
    storageMagnitude: Double = 0
  ) -> Tolerance {
    Tolerance(
      roundings: 8 + 2 * Double(terms).squareRoot(),
      magnitude: magnitude * max(1, Double(terms).squareRoot() * 2),
      storageRoundings: storageRoundings, storageMagnitude: storageMagnitude,
      reason: "a sum of \(terms) float32 products in any order")
  }

  /// The largest error allowed at a reference value, for a tensor stored as `type` in a run whose
  /// storage is `storage`.
  public func allowed(
    at reference: Double, storedAs type: ElementType, storage: ElementType
  ) -> Double {
    guard roundings > 0 else { return 0 }
    let float32 = roundings * 0x1p-24 * (magnitude + abs(reference))
    guard type == .bfloat16 else {
      return storage == .bfloat16
        ? float32 + 0x1p-8 * wideStorageRoundings * abs(reference) : float32
    }
    return float32
      + 0x1p-8 * (abs(reference) + storageRoundings * (abs(reference) + storageMagnitude))
  }
}
