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
  static let candidates = 16
  /// Another algorithm than the library's first must be this much faster: noise decides nothing.
  private static let margin = 0.99
  /// Only algorithms that are so close to the fastest of a first short test are tested at length.
  private static let near = 1.16
  /// Of the test at length, in seconds: work before it, less where the last test is not longer ago
  /// than `warmth`; what a turn fills; and turns.
  private static let heating = 0.08
  private static let reheating = 0.01
  private static let warmth = 0.1
  private static let stretch = 0.005
  private static let rounds = 4
  private let device: CUDADevice
  private let timeline: EventTimeline
  private let cache = KernelCache()
  private let context: String
  private let isOn: Bool
  /// When the last test at length ended.
  private var lastTest = -Double.infinity

  init(device: CUDADevice, libraryVersion: String) {
    self.device = device
    timeline = EventTimeline(device)
    context = "product tuner 2, \(device.name), \(device.driverVersion), \(libraryVersion)"
    isOn = environmentFlag("KRAIT_TUNE_PRODUCTS") ?? true
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
    let short = try shortTimes(count, run)
    guard let fastest = short.min(), fastest < .infinity else { return 0 }
    let close = short.indices.filter { $0 == 0 || short[$0] <= ProductTuner.near * fastest }
    var best = 0
    if close.count > 1 {
      let long = try longTimes(close, each: fastest, run)
      best = close.min { long[$0, default: .infinity] < long[$1, default: .infinity] } ?? 0
      let first = long[0, default: .infinity]
      if long[best, default: .infinity] > ProductTuner.margin * first { best = 0 }
    }
    return cache.write([UInt8(best)], key: key(count, product)) ? best : 0
  }

  /// The least of three times of every algorithm; infinite where it does not run.
  private func shortTimes(
    _ count: Int, _ run: (Int) -> Int32
  ) throws(ComputeError) -> [Double] {
    var times = [Double](repeating: .infinity, count: count)
    for index in 0..<count where run(index) == 0 {
      for _ in 0..<3 {
        try timeline.mark()
        _ = run(index)
      }
      try timeline.mark()
      times[index] = try timeline.takeIntervals().min() ?? .infinity
    }
    return times
  }

  /// The median times of some algorithms on a GPU that is as busy as in training.
  ///
  /// A GPU at its power limit slows its clock down, and what costs less energy is then faster. So the
  /// GPU is kept busy first, and the algorithms take turns, there and back.
  private func longTimes(
    _ indices: [Int], each: Double, _ run: (Int) -> Int32
  ) throws(ComputeError) -> [Int: Double] {
    let isWarm = ProductTuner.now() - lastTest < ProductTuner.warmth
    let heating = isWarm ? ProductTuner.reheating : ProductTuner.heating
    for _ in 0..<Int(heating / each) { _ = run(indices[0]) }
    let passes = max(1, Int(ProductTuner.stretch / each))
    var order: [Int] = []
    for round in 0..<ProductTuner.rounds {
      for index in round % 2 == 0 ? indices : indices.reversed() {
        order.append(index)
        try timeline.mark()
        for _ in 0..<passes { _ = run(index) }
      }
    }
    try timeline.mark()
    let intervals = try timeline.takeIntervals()
    lastTest = ProductTuner.now()
    return Dictionary(grouping: order.indices, by: { order[$0] }).mapValues { places in
      let sorted = places.map { intervals[$0] }.sorted()
      return (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    }
  }

  /// The index that was chosen earlier, or that needs no choice; nil when times must tell.
  func known(_ count: Int, for product: String) -> Int? {
    guard isOn, count > 1 else { return 0 }
    return cache.read(key(count, product))?.first.map { Int($0) < count ? Int($0) : 0 }
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private func key(_ count: Int, _ product: String) -> String {
    SHA256.hash(data: Data("\(context), \(count), \(product)".utf8))
      .map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
  }
}
