import Compute
import Crypto
import Foundation
import Glibc

/// Chooses among a library's algorithms for a product by timing them once.
///
/// The choice is kept on disk beside the compiled kernels, so that later starts on this GPU with
/// this library add in the same order: results stay the same bit for bit. Where the folder cannot
/// be written the library's own first choice is taken. `KRAIT_TUNE_PRODUCTS=0` always takes it.
final class ProductTuner {
  /// How many algorithms the library is asked for.
  static let candidates = 8
  /// Another algorithm than the library's first must be this much faster: noise decides nothing.
  private static let margin = 0.98
  private let device: CUDADevice
  private let timeline: EventTimeline
  private let cache = KernelCache()
  private let context: String
  private let isOn: Bool

  init(device: CUDADevice, libraryVersion: String) {
    self.device = device
    timeline = EventTimeline(device)
    context = "product tuner 1, \(device.name), \(device.driverVersion), \(libraryVersion)"
    isOn = getenv("KRAIT_TUNE_PRODUCTS").map { $0.pointee != 48 } ?? true
  }

  /// The index of the algorithm to use.
  ///
  /// - Parameters:
  ///   - count: the number of algorithms.
  ///   - product: everything that their times depend on.
  ///   - run: enqueues the product by an algorithm; the library's status.
  func choose(
    _ count: Int, for product: String, run: (Int) -> Int32
  ) throws(ComputeError) -> Int {
    if let known = known(count, for: product) { return known }
    var best = 0
    var times = [Double](repeating: .infinity, count: count)
    for index in 0..<count {
      guard run(index) == 0 else { continue }
      for _ in 0..<3 {
        try timeline.mark()
        _ = run(index)
      }
      try timeline.mark()
      times[index] = try timeline.takeIntervals().min() ?? .infinity
      if times[index] < times[best] { best = index }
    }
    if times[best] > ProductTuner.margin * times[0] { best = 0 }
    return cache.write([UInt8(best)], key: key(count, product)) ? best : 0
  }

  /// The index that was chosen earlier, or that needs no choice; nil when times must tell.
  func known(_ count: Int, for product: String) -> Int? {
    guard isOn, count > 1 else { return 0 }
    return cache.read(key(count, product))?.first.map { Int($0) < count ? Int($0) : 0 }
  }

  private func key(_ count: Int, _ product: String) -> String {
    SHA256.hash(data: Data("\(context), \(count), \(product)".utf8))
      .map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
  }
}
